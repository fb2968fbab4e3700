using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// A round of sparsity-informed adaptive pruning (SAP, arXiv:2302.05601): how many weights go is what the PQ index of those that
/// are left says, and the smallest go. With <c>repeat</c>, training and rewinding around it.
/// </summary>
[Description("Zeroes the smallest weights, as many as their PQ index says can go: a round of SAP")]
public sealed class SapPrune : Activity<SapPrune.Inputs, SapPrune.Parameters, SapPrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model);

    public sealed record Parameters(
        [property: Description("What one index and one ranking are taken over")] SapScope Scope = SapScope.Global,
        [property: Range(0.01, 10.0), Description("Of the lower norm")] double P = 0.5,
        [property: Range(0.02, 20.0), Description("Of the higher norm")] double Q = 1,
        [property: Range(0.0, 10.0), Description("η: the higher, the more goes beyond what the index says")] double Tolerance = 0,
        [property: Range(0.01, 10.0), Description("γ: share of what may go that goes in this round")] double Pace = 1,
        [property: Range(0.0, 0.99), Description("β: the most that goes in this round, as a share of what is left")] double Most = 0.9,
        [property: Description("Of image classifiers: which weights are chosen from")] PrunedLayers Layers = PrunedLayers.All);

    /// <param name="Sparsity">The share of zeros afterwards.</param>
    /// <param name="Index">The PQ index of the weights that were left before: it rises while there is something to remove, and falls when too much is gone.</param>
    /// <param name="Removed">Share of the weights that were left before.</param>
    public sealed record Outputs(Checkpoint Model, double Sparsity, double Index, double Removed);

    public override string Kind => "prune.sap";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var measure = new PqIndex(parameters.P, parameters.Q).Check();
        using var model = await PrunableModel.LoadAsync(stage, inputs.Model, parameters.Layers, cancellation);
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var (left, before) = (Left(model.Weights), model.Weights.Sum(PrunableModel.Zeros));
        var index = measure.Of(left);
        if (parameters.Scope == SapScope.Global)
        {
            var flat = cat([.. model.Weights.Select(weight => weight.Value.abs().to(ScalarType.Float32).reshape(-1))]);
            var mask = SmallestScores.Overall(flat, before + Count(measure, left, parameters));
            foreach (var (weight, part) in model.Weights.Zip(mask.split([.. model.Weights.Select(weight => weight.Value.numel())])))
                weight.Set(weight.Value.masked_fill(part.view(weight.Value.shape), 0));
        }
        else
        {
            foreach (var (place, weight) in model.Weights.Index())
            {
                cancellation.ThrowIfCancellationRequested();
                using var inner = NewDisposeScope();
                var scores = weight.Value.abs().to(ScalarType.Float32);
                var rows = parameters.Scope == SapScope.Row ? scores.view(scores.shape[0], -1) : scores.view(1, -1);
                weight.Set(weight.Value.masked_fill(Mask(measure, rows, parameters).view(scores.shape), 0));
                stage.Report(place + 1, model.Weights.Count, "layer");
            }
        }

        var removed = (double)(model.Weights.Sum(PrunableModel.Zeros) - before) / Math.Max(1, left.Length);
        stage.Log($"PQ index {index:0.####}: {removed:P1} of what was left goes");
        return new Outputs(await model.SaveAsync(stage, cancellation), model.Sparsity(), index, removed);
    }

    /// <summary>True where a weight goes, by an index and a count of each row's own.</summary>
    /// <param name="magnitudes">[rows, columns]; what is 0 is masked already.</param>
    public static Tensor Mask(PqIndex measure, Tensor magnitudes, Parameters parameters)
    {
        using var scope = NewDisposeScope();
        var masks = new List<Tensor>();
        foreach (var row in magnitudes.unbind(0))
        {
            var left = Nonzero(row);
            masks.Add(SmallestScores.Overall(row, row.numel() - left.Length + Count(measure, left, parameters)));
        }

        return stack(masks).MoveToOuterDisposeScope();
    }

    private static long Count(PqIndex measure, float[] left, Parameters parameters) =>
        measure.Removable(left.Length, measure.Of(left), parameters.Tolerance, parameters.Pace, parameters.Most);

    private static float[] Left(IEnumerable<TensorSlot> weights) => [.. weights.SelectMany(weight => Nonzero(weight.Value))];

    private static float[] Nonzero(Tensor weight)
    {
        using var scope = NewDisposeScope();
        return [.. weight.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray().Where(value => value != 0)];
    }
}

/// <summary>What one PQ index is taken over.</summary>
public enum SapScope
{
    [Description("All layers together")]
    Global,

    [Description("Each layer by itself")]
    Layer,

    [Description("Each row of a weight by itself: what one neuron or filter reads")]
    Row,
}
