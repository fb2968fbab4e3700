using Pipelines.Activities.Deciding;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// The two kinds of steps of <see cref="AtpTune"/>: even ones train the network that makes the gates, odd ones the adapters,
/// until the choice is settled; from then on all train the adapters. What rests has no gradient, and its optimizer rests too.
/// </summary>
public sealed class AtpTraining : IDisposable
{
    private readonly CausalLM model;
    private readonly AtpTune.Parameters parameters;
    private readonly UnitGates gates;
    private readonly GroupLasso lasso;
    private readonly TrainedGate gate;
    private readonly HyperNetwork network;
    private readonly IReadOnlyList<Tensor> adapters;
    private readonly TokenBatches training;
    private readonly TokenBatches heldOut;
    private readonly int choosing;
    private Tensor[]? settled;
    private double share;

    /// <summary>Puts adapters on the model.</summary>
    /// <param name="tokens">[sequences, length].</param>
    /// <param name="every">One in so many sequences is held out of the adapters' training, for the choice.</param>
    /// <exception cref="StageException">There are too few sequences to hold one out.</exception>
    public AtpTraining(CausalLM model, Tensor tokens, int every, AtpTune.Parameters parameters)
    {
        (this.model, this.parameters) = (model, parameters);
        var sequences = tokens.shape[0];
        if (sequences < 2)
            throw new StageException($"the text has {sequences} sequence: expected two at least, one of them for the choice");
        var forChoice = Math.Max(1, sequences / every);
        training = new TokenBatches(tokens.narrow(0, 0, sequences - forChoice), parameters.Batch, parameters.Seed);
        heldOut = new TokenBatches(tokens.narrow(0, sequences - forChoice, forChoice), parameters.Batch, parameters.Seed);
        choosing = parameters.Steps - (int)Math.Round(parameters.Steps * parameters.Settled);
        (gates, gate) = (new UnitGates(model), new TrainedGate(parameters.Gate));
        using var generator = GateNoise.At(parameters.Seed, -1);
        network = new HyperNetwork(gates.Sizes, generator, model.Device);
        adapters = Adapters.Attach(model, parameters.Rank, parameters.Alpha, parameters.Seed, masked: true);
        lasso = new GroupLasso(gates.Sites);
    }

    /// <returns>The mean loss of the last steps.</returns>
    public double Run(StageContext stage, CancellationToken cancellation)
    {
        var loop = new TrainingLoop(parameters.Steps, parameters.LearningRate, 0) { Figures = () => [("kept", share)] };
        return loop.Run(
            LossOf,
            [
                new TrainedGroup(network.Trained, step => Chooses(step) ? parameters.ChoiceRate : 0, 0.05),
                new TrainedGroup(adapters, step => Chooses(step) ? 0 : loop.RateAt(step), 0),
            ],
            BatchAt, stage, cancellation);
    }

    /// <summary>What is to stay, by the gates as they were settled.</summary>
    /// <param name="hash">The model's.</param>
    /// <param name="method">The kind of the stage.</param>
    public PruningDecision Decide(string hash, string method)
    {
        using var scope = NewDisposeScope();
        return gates.Decide(Open(), hash, method);
    }

    public void Dispose()
    {
        gates.Dispose();
        lasso.Dispose();
        network.Dispose();
        foreach (var vector in settled ?? [])
            vector.Dispose();
    }

    private bool Chooses(int step) => step < choosing && step % 2 == 0;

    private Tensor BatchAt(long step)
    {
        var choices = (Math.Min(step, choosing) + 1) / 2;
        return Chooses((int)step) ? heldOut.At(choices) : training.At(step - choices);
    }

    private Tensor LossOf(Tensor batch, int step)
    {
        using var scope = NewDisposeScope();
        var chooses = Chooses(step);
        foreach (var adapter in adapters)
            adapter.requires_grad_(!chooses);
        if (step >= choosing)
            return model.NextTokenLoss(batch, gates.Hook(Settled())).MoveToOuterDisposeScope();

        var (open, counted) = Sampled(step, chooses);
        var size = gates.Size(counted);
        share = size.ToDouble() / gates.FullSize;
        var loss = model.NextTokenLoss(batch, gates.Hook(open)) + lasso.Of(open) * parameters.Lasso;
        if (chooses)
            loss = loss + BudgetLoss.LogRatio(size, gates.FullSize, 1 - parameters.Ratio, parameters.Weight);
        return loss.MoveToOuterDisposeScope();
    }

    private (Tensor[] Open, Tensor[] Counted) Sampled(int step, bool graded)
    {
        using var noise = GateNoise.At(parameters.Seed, step);
        using var recording = graded ? enable_grad() : no_grad();
        var drawn = network.Forward().Select(logits => gate.Sample(logits, noise)).ToArray();
        return ([.. drawn.Select(one => one.Gate)], [.. drawn.Select(one => one.Counted)]);
    }

    // The network rests from here on, so a later attempt settles on the same.
    private Tensor[] Settled()
    {
        if (settled is null)
        {
            using var scope = NewDisposeScope();
            using var ungraded = no_grad();
            settled = [.. gates.Values(Open(), model.Device).Select(vector => vector.DetachFromDisposeScope())];
            share = gates.Size(settled).ToDouble() / gates.FullSize;
        }

        return settled;
    }

    private int[][] Open() => gates.Freeze(network.Forward(), 1 - parameters.Ratio);
}
