using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// Magnitude pruning (Han et al., arXiv:1506.02626): zeroes the smallest weights of the blocks' linears, or of a classifier's
/// convolutions. Needs no data. Over all of them with a floor for each it is Global MP (arXiv:2209.14624); a share of those
/// that are left, round after round, is what lottery tickets are found by (arXiv:1803.03635).
/// </summary>
[Description("Zeroes the smallest weights of a language model or of an image classifier")]
public sealed class MagnitudePrune : Activity<MagnitudePrune.Inputs, MagnitudePrune.Parameters, MagnitudePrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share of the weights to zero")] double Sparsity = 0.5,
        [property: Description("What the weights are ranked within")] MagnitudeScope Scope = MagnitudeScope.PerLayer,
        [property: RegularExpression(SparsityPattern.Expression, ErrorMessage = SparsityPattern.Expected)]
        [property: Description("N:M, as 2:4; none for no pattern; of language models")]
        string Pattern = "none",
        [property: Description("Which weights go when the cut is drawn")] MagnitudeCut Cut = MagnitudeCut.Released,
        [property: Description("What the share is of")] MagnitudeShare Of = MagnitudeShare.All,
        [property: Range(0.0, 0.5), Description("What each layer keeps at least, as a share of the weights of all layers; with the global scope")]
        double Floor = 0,
        [property: Description("Of image classifiers: which weights are chosen from")] PrunedLayers Layers = PrunedLayers.All);

    public sealed record Outputs(Checkpoint Model, double Sparsity);

    public override string Kind => "prune.magnitude";

    // 2: the exact cut holds for the global scope too.
    public override int Version => 2;

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var pattern = SparsityPattern.Parse(parameters.Pattern);
        if (parameters.Floor > 0 && (parameters.Scope != MagnitudeScope.Global || pattern is not null))
            throw new StageException("a floor keeps layers from being emptied by one ranking over all of them: choose the global scope and no pattern");
        if (parameters.Of == MagnitudeShare.Remaining && pattern is not null)
            throw new StageException($"the pattern {parameters.Pattern} says how many weights go of each group: 'of' has no say in it");
        using var model = await PrunableModel.LoadAsync(stage, inputs.Model, parameters.Layers, cancellation);
        if (model.IsClassifier && pattern is not null)
            throw new StageException("'model' is an image classifier: patterns are for the linears of language models");
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var masks = pattern is null && parameters.Scope == MagnitudeScope.Global
            ? Global([.. model.Weights.Select(weight => Scores(weight.Value))], parameters)
            : null;
        foreach (var (index, weight) in model.Weights.Index())
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var mask = masks?[index] ?? Chosen(weight.Name, Scores(weight.Value), pattern, parameters);
            weight.Set(weight.Value.masked_fill(mask, 0));
            stage.Report(index + 1, model.Weights.Count, "layer", ("sparsity", (double)PrunableModel.Zeros(weight) / weight.Value.numel()));
        }

        return new Outputs(await model.SaveAsync(stage, cancellation), model.Sparsity());
    }

    /// <summary>True where a weight of |magnitude| <paramref name="scores"/> is to be zeroed.</summary>
    public static Tensor Mask(Tensor scores, double sparsity, MagnitudeCut cut) => Smallest(scores, (long)(scores.numel() * sparsity), cut);

    /// <summary>The same for several layers by one ranking over all of them.</summary>
    public static Tensor[] Global(IReadOnlyList<Tensor> scores, Parameters parameters)
    {
        using var scope = NewDisposeScope();
        var all = cat([.. scores.Select(score => score.reshape(-1))]);
        var count = Count(all, parameters);
        long[] sizes = [.. scores.Select(score => score.numel())];
        Tensor[] masks = parameters.Cut == MagnitudeCut.Exact || parameters.Floor > 0
            ? [.. SmallestScores.Overall(all, count).split(sizes)]
            : [.. (count == 0 ? zeros_like(all, ScalarType.Bool) : SmallestScores.UpTo(all, count - 1)).split(sizes)];
        if (parameters.Floor > 0)
        {
            var counts = LayerFloor.Counts(
                [.. sizes.Select(size => checked((int)size))], [.. masks.Select(mask => mask.sum().ToInt64())], (long)(all.numel() * parameters.Floor + 1e-9));
            masks = [.. scores.Zip(counts, (score, gone) => SmallestScores.Overall(score, gone))];
        }

        return [.. masks.Zip(scores, (mask, score) => mask.reshape(score.shape).MoveToOuterDisposeScope())];
    }

    private static Tensor Chosen(string name, Tensor scores, SparsityPattern? pattern, Parameters parameters) =>
        pattern?.Mask(scores, name) ?? Smallest(scores, Count(scores, parameters), parameters.Cut);

    private static Tensor Smallest(Tensor scores, long count, MagnitudeCut cut) => cut == MagnitudeCut.Exact || count == 0
        ? SmallestScores.Overall(scores, count)
        : SmallestScores.UpTo(scores, count);

    /// <summary>Weights that are zero afterwards. What is zero already is the smallest there is, so it is among them.</summary>
    private static long Count(Tensor scores, Parameters parameters)
    {
        if (parameters.Of == MagnitudeShare.All)
            return (long)(scores.numel() * parameters.Sparsity);
        var left = scores.count_nonzero().ToInt64();
        // Rounded up, as in the tickets' released code; 0.2 · 15 is a little above 3 in binary, and 3 is meant.
        return scores.numel() - left + (long)Math.Ceiling(left * parameters.Sparsity - 1e-9);
    }

    private static Tensor Scores(Tensor weight) => weight.abs().to(ScalarType.Float32);
}

/// <summary>What magnitudes are ranked within.</summary>
public enum MagnitudeScope
{
    [Description("Each layer by itself")]
    PerLayer,

    [Description("All layers together")]
    Global,
}

/// <summary>Where the cut lies in the sorted magnitudes of a layer.</summary>
public enum MagnitudeCut
{
    [Description("Up to and including the one at position int(n·s), as Wanda's released code does: one entry more, and its equals")]
    Released,

    [Description("int(n·s) entries; of equal ones the first")]
    Exact,
}

/// <summary>What a share of weights is of.</summary>
public enum MagnitudeShare
{
    [Description("Of all weights: the sparsity in the end")]
    All,

    [Description("Of those that are not zero yet, rounded up: so much goes in every round")]
    Remaining,
}
