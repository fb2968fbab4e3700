using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>
/// Groups, state and their saving, for every optimizer written in C#. (The name is TorchSharp's: code that saves an
/// optimizer refers to it.)
/// </summary>
public abstract class OptimizerHelper : optim.Optimizer
{
    private readonly List<ParamGroup> groups = [];
    private readonly Dictionary<Parameter, OptimizerState> states = new(ReferenceEqualityComparer.Instance);
    private readonly OptimizerOptions defaults;

    private protected OptimizerHelper(OptimizerOptions defaults, IEnumerable<ParamGroup> groups)
    {
        this.defaults = defaults;
        foreach (var group in groups)
            Add(group);
    }

    public override IEnumerable<optim.ILearningRateController> ParamGroups => groups;

    public override IEnumerable<Parameter> parameters() => groups.SelectMany(group => group.Parameters);

    /// <summary>From the next step on, these parameters are trained too.</summary>
    /// <exception cref="ArgumentException">A parameter is in the optimizer already.</exception>
    public override void add_param_group(ParamGroup param_group) => Add(param_group);

    public override Tensor? step(Func<Tensor>? closure = null)
    {
        Tensor? loss = null;
        if (closure is not null)
        {
            using var recording = enable_grad();
            loss = closure();
        }

        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        foreach (var group in groups)
        {
            foreach (var parameter in group.Parameters)
            {
                if (parameter.grad is { } gradient)
                    Update(parameter, gradient, group.Options!, states[parameter]);
            }
        }

        return loss;
    }

    public StateDictionary state_dict()
    {
        var dictionary = new StateDictionary();
        dictionary.Options.AddRange(groups.Select(group => group.Options!));
        dictionary.State.AddRange(parameters().Select(parameter => states[parameter]));
        return dictionary;
    }

    /// <summary>Takes over another optimizer's options and a copy of its state.</summary>
    /// <exception cref="ArgumentException">It has other numbers of groups or parameters.</exception>
    public void load_state_dict(StateDictionary state_dict)
    {
        var own = this.state_dict();
        Match("parameter groups", own.Options.Count, state_dict.Options.Count);
        Match("parameters", own.State.Count, state_dict.State.Count);
        for (var i = 0; i < own.Options.Count; i++)
            own.Options[i].LoadStateDict(state_dict.Options[i]);
        for (var i = 0; i < own.State.Count; i++)
            own.State[i].LoadStateDict(state_dict.State[i]);
    }

    /// <summary>Writes options and state: what a training loop needs to go on with the same bits.</summary>
    public void save_state_dict(BinaryWriter writer)
    {
        var own = state_dict();
        writer.Write(GetType().Name);
        writer.Write(own.Options.Count);
        writer.Write(own.State.Count);
        own.Options.ForEach(options => options.SaveStateDict(writer));
        own.State.ForEach(state => state.SaveStateDict(writer));
        writer.Flush();
    }

    /// <exception cref="InvalidDataException">The stream holds the state of another kind of optimizer.</exception>
    /// <exception cref="ArgumentException">It holds other numbers of groups or parameters.</exception>
    public void load_state_dict(BinaryReader reader)
    {
        var kind = reader.ReadString();
        if (kind != GetType().Name)
            throw new InvalidDataException($"the state is of the optimizer '{kind}', expected {GetType().Name}");
        var own = state_dict();
        Match("parameter groups", own.Options.Count, reader.ReadInt32());
        Match("parameters", own.State.Count, reader.ReadInt32());
        own.Options.ForEach(options => options.LoadStateDict(reader));
        own.State.ForEach(state => state.LoadStateDict(reader));
    }

    public void save_state_dict(string location)
    {
        using var writer = new BinaryWriter(File.Create(location));
        save_state_dict(writer);
    }

    public void load_state_dict(string location)
    {
        using var reader = new BinaryReader(File.OpenRead(location));
        load_state_dict(reader);
    }

    public void to(Device device)
    {
        foreach (var state in states.Values)
            state.to(device);
    }

    private protected abstract OptimizerOptions NewOptions();

    private protected abstract OptimizerState NewState(Parameter parameter, OptimizerOptions options);

    /// <summary>Runs without recording, in a dispose scope of the whole step.</summary>
    private protected abstract void Update(
        Parameter parameter, Tensor gradient, OptimizerOptions options, OptimizerState state);

    protected override void Dispose(bool disposing)
    {
        foreach (var state in states.Values)
            state.Dispose();
        states.Clear();
    }

    private void Add(ParamGroup group)
    {
        // Callers hand over queries; the parameters must be the same ones at every step.
        group.Parameters = [.. group.Parameters];
        group.Options ??= NewOptions();
        group.Options.FillFrom(defaults);
        group.InitialLearningRate = group.LearningRate;
        foreach (var parameter in group.Parameters)
            states.Add(parameter, NewState(parameter, group.Options));
        groups.Add(group);
    }

    private static void Match(string what, int own, int given)
    {
        if (own != given)
            throw new ArgumentException($"the optimizer has {own} {what}, the state {given}");
    }
}
