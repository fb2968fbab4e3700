using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// A model made ready to be trained in part: which tensors move, and that zeroed weights of its linears stay zero whichever
/// way it is trained.
/// </summary>
internal sealed class Trainee : IDisposable
{
    private readonly CausalLM model;
    private readonly List<Tensor> tensors = [];
    private readonly List<Tensor> own = [];

    /// <exception cref="StageException">The model carries adapters already.</exception>
    public Trainee(CausalLM model)
    {
        if (model.Linears().Any(linear => linear.Adapter is not null))
            throw new StageException("this model carries adapters already: merge them first (finetune.lora with adapters merged)");
        this.model = model;
    }

    /// <summary>In a fixed order.</summary>
    public IReadOnlyList<Tensor> Tensors => tensors;

    public ZeroMasks Masks { get; } = new();

    public long Count => tensors.Sum(tensor => tensor.numel());

    /// <summary>The model's own parameters.</summary>
    public Trainee Parameters(TrainedPart part)
    {
        var blocks = $"{model.Config.Names.Layers}.";
        return Parameters(name => part == TrainedPart.All || name.StartsWith(blocks, StringComparison.Ordinal));
    }

    /// <summary>Small parts of them.</summary>
    /// <param name="norms">Scales and shifts of the norms.</param>
    /// <param name="biases">Those of the blocks' linears.</param>
    /// <param name="head">With its bias; the embedding where they are tied.</param>
    public Trainee Parameters(bool norms, bool biases, bool head)
    {
        var chosen = new HashSet<string>();
        if (norms)
            chosen.UnionWith(model.Blocks.SelectMany(block => block.Norms).Append(model.Norm).SelectMany(norm => norm.NamedParameters()).Select(one => one.Name));
        if (biases)
            chosen.UnionWith(model.Linears().Select(linear => $"{linear.Name}.bias"));
        if (head)
            chosen.UnionWith([$"{(model.Head is null ? model.Config.Names.Embedding : model.Config.Names.Head)}.weight", $"{model.Config.Names.Head}.bias"]);
        return Parameters(chosen.Contains);
    }

    /// <summary>Those of some names.</summary>
    private Trainee Parameters(Func<string, bool> chosen)
    {
        var weights = model.Linears().Select(linear => $"{linear.Name}.weight").ToHashSet();
        foreach (var (name, tensor) in model.NamedParameters().Where(parameter => chosen(parameter.Name)))
        {
            // A loaded tensor is a view of its file, which cannot be written to.
            using (var copy = tensor.clone())
            using (no_grad())
                tensor.set_(copy);
            own.Add(tensor.requires_grad_());
            tensors.Add(tensor);
            if (weights.Contains(name))
                Masks.Add(tensor);
        }

        return this;
    }

    /// <summary>Adapters on every linear of the blocks.</summary>
    /// <param name="masked">Whether they are to be merged, and so keep out of zeroed weights.</param>
    public Trainee Adapters(int rank, double alpha, long seed, bool masked)
    {
        tensors.AddRange(Finetuning.Adapters.Attach(model, rank, alpha, seed, masked));
        return this;
    }

    /// <summary>The model is as any other again; adapters are in its weights.</summary>
    public void Finish()
    {
        foreach (var tensor in own)
            tensor.requires_grad_(false);
        Finetuning.Adapters.Merge(model);
    }

    public void Dispose() => Masks.Dispose();
}
