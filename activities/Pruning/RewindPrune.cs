using System.ComponentModel;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// Puts the early weights of a model back where a later, pruned state of it is not zero: a lottery ticket (Frankle and Carbin,
/// arXiv:1803.03635; rewinding: arXiv:1912.05671). Norms, biases and running statistics are the early ones too.
/// </summary>
[Description("Takes a pruned model back to its early weights; what is zero stays zero: a lottery ticket")]
public sealed class RewindPrune : Activity<RewindPrune.Inputs, None, RewindPrune.Outputs>
{
    /// <param name="Model">Whose zeros are the mask.</param>
    /// <param name="Early">The same model, before it was trained to where it was pruned.</param>
    public sealed record Inputs(Checkpoint Model, Checkpoint Early);

    public sealed record Outputs(Checkpoint Model, double Sparsity);

    public override string Kind => "prune.rewind";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, None parameters, StageContext stage, CancellationToken cancellation)
    {
        if (inputs.Model.Architecture != inputs.Early.Architecture)
            throw new StageException($"'early' is a {inputs.Early.Architecture}, 'model' a {inputs.Model.Architecture}: expected an earlier state of the same model");
        using var pruned = await PrunableModel.LoadAsync(stage, inputs.Model, PrunedLayers.All, cancellation);
        using var early = await PrunableModel.LoadAsync(stage, inputs.Early, PrunedLayers.All, cancellation);
        using var ungraded = no_grad();
        if (early.Weights.Count != pruned.Weights.Count)
            throw new StageException($"'early' has {early.Weights.Count} layers, 'model' {pruned.Weights.Count}: expected an earlier state of the same model");
        foreach (var (before, now) in early.Weights.Zip(pruned.Weights))
        {
            if (!before.Value.shape.SequenceEqual(now.Value.shape))
                throw new StageException($"{now.Name}: 'early' has [{string.Join(", ", before.Value.shape)}], 'model' [{string.Join(", ", now.Value.shape)}]: what was cut has no early weights to go back to");
            Rewind(before, now.Value);
        }

        return new Outputs(await early.SaveAsync(stage, cancellation), early.Sparsity());
    }

    private static void Rewind(TensorSlot early, Tensor pruned)
    {
        using var scope = NewDisposeScope();
        early.Set(early.Value.masked_fill(pruned.eq(0), 0));
    }
}
