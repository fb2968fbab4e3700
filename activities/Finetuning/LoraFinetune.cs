using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// Trains LoRA adapters (Hu et al., arXiv:2106.09685) on every linear of the blocks; the model's own weights stay as they
/// are. Merged into a pruned model, the update is masked while it trains, so that zeroed weights stay zero.
/// </summary>
[Description("Trains low-rank adapters on every linear of the blocks")]
public sealed class LoraFinetune : Activity<LoraFinetune.Inputs, LoraFinetune.Parameters, LoraFinetune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(1, 1024), Description("Rank of the update")] int Rank = 8,
        [property: Range(0.01, 10_000), Description("The update is scaled by alpha / rank")] double Alpha = 16,
        [property: Range(1, 1_000_000), Description("Training steps")] int Steps = 150,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1e-7, 1.0), Description("The highest learning rate")] double LearningRate = 2e-3,
        [property: Description("What becomes of the adapters")] AdapterEnd Adapters = AdapterEnd.Merged,
        [property: Description("Of the adapters' initial values and of the order of the data")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model, double Loss);

    public override string Kind => "finetune.lora";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        if (model.Network.Linears().Any(linear => linear.Adapter is not null))
            throw new StageException("this model carries adapters already: merge them first (finetune.lora with adapters merged)");
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        var merged = parameters.Adapters == AdapterEnd.Merged;
        var trained = Attach(model.Network, parameters.Rank, parameters.Alpha, parameters.Seed, masked: merged);
        var loss = new TrainingLoop(parameters.Steps, parameters.LearningRate, 0).Run(
            model.Network, trained, new TokenBatches(tokens, parameters.Batch, parameters.Seed), stage, cancellation);

        if (merged)
        {
            Merge(model.Network);
            return new Outputs(await stage.SaveModelAsync(model, cancellation), loss);
        }

        await using var draft = stage.Artifacts.Begin();
        CausalFolder.Save(model.Network, draft.Folder);
        TokenizerFiles.Copy(model.Folder, draft.Folder);
        AdapterFolder.Save(model.Network, draft.Folder, parameters.Rank, parameters.Alpha);
        return new Outputs(
            new Checkpoint(await draft.CommitAsync(cancellation), model.Network.Config.Architecture), loss);
    }

    /// <summary>Puts adapters on every linear: A uniform as in peft, B zero, so that nothing changes at first.</summary>
    /// <param name="masked">Whether the update keeps out of zeroed weights.</param>
    /// <returns>The tensors to train.</returns>
    public static IReadOnlyList<Tensor> Attach(CausalLM model, int rank, double alpha, long seed, bool masked)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var trained = new List<Tensor>();
        foreach (var linear in model.Linears())
        {
            var (rows, columns) = (linear.Weight.shape[0], linear.Weight.shape[1]);
            var bound = 1 / Math.Sqrt(columns);
            var a = empty(rank, columns).uniform_(-bound, bound, generator: generator).to(model.Device);
            var b = zeros(rows, rank, device: model.Device);
            linear.Adapter = new LoraAdapter(Trained(a), Trained(b), alpha / rank, masked ? Mask(linear.Weight) : null);
        }

        return trained;

        Tensor Trained(Tensor tensor)
        {
            trained.Add(tensor.requires_grad_().DetachFromDisposeScope());
            return tensor;
        }
    }

    /// <summary>Adds every adapter to its weight; the model carries none any more.</summary>
    public static void Merge(CausalLM model)
    {
        foreach (var linear in model.Linears())
        {
            linear.SetWeight(linear.Adapter!.Merge(linear.Weight));
            linear.Adapter.Dispose();
            linear.Adapter = null;
        }
    }

    /// <summary>1 where the weight is not zero; null for a weight without zeros.</summary>
    private static Tensor? Mask(Tensor weight)
    {
        var keep = weight.ne(0);
        return keep.all().ToBoolean() ? null : keep.to(ScalarType.Float32).DetachFromDisposeScope();
    }
}

/// <summary>What becomes of trained adapters.</summary>
public enum AdapterEnd
{
    [Description("Added to the weights; zeroed weights stay zero")]
    Merged,

    [Description("Kept beside the model, in peft's files; the model's weights stay as they were")]
    Kept,
}
