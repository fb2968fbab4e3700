using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// Magnitude pruning (Han et al., arXiv:1506.02626): zeroes the smallest weights of the blocks' linears. Needs no data.
/// </summary>
[Description("Zeroes the smallest weights")]
public sealed class MagnitudePrune : Activity<MagnitudePrune.Inputs, MagnitudePrune.Parameters, MagnitudePrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share of the weights to zero")] double Sparsity = 0.5,
        [property: Description("What the weights are ranked within")] MagnitudeScope Scope = MagnitudeScope.PerLayer,
        [property: RegularExpression(SparsityPattern.Expression, ErrorMessage = SparsityPattern.Expected)]
        [property: Description("N:M, as 2:4; none for no pattern")]
        string Pattern = "none",
        [property: Description("Which weights go when the cut is drawn")] MagnitudeCut Cut = MagnitudeCut.Released);

    public sealed record Outputs(Checkpoint Model, double Sparsity);

    public override string Kind => "prune.magnitude";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var ungraded = no_grad();
        var pattern = SparsityPattern.Parse(parameters.Pattern);
        var linears = model.Network.Linears().ToArray();
        var cut = pattern is null && parameters.Scope == MagnitudeScope.Global
            ? GlobalCut(linears.Select(linear => linear.Weight), parameters.Sparsity)
            : (double?)null;

        foreach (var (index, linear) in linears.Index())
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var scores = linear.Weight.abs().to(ScalarType.Float32);
            var mask = pattern?.Mask(scores, linear.Name)
                ?? (cut is { } threshold ? scores.le(threshold) : Mask(scores, parameters.Sparsity, parameters.Cut));
            linear.SetWeight(linear.Weight.masked_fill(mask, 0));
            stage.Report(index + 1, linears.Length, "linear", ("sparsity", linear.Sparsity()));
        }

        return new Outputs(await stage.SaveModelAsync(model, cancellation), model.Sparsity());
    }

    /// <summary>True where a weight of |magnitude| <paramref name="scores"/> is to be zeroed.</summary>
    public static Tensor Mask(Tensor scores, double sparsity, MagnitudeCut cut)
    {
        var count = (long)(scores.numel() * sparsity);
        return cut == MagnitudeCut.Exact || count == 0
            ? SmallestScores.Overall(scores, count)
            : SmallestScores.UpTo(scores, count);
    }

    /// <summary>The magnitude up to which weights go, over all linears together.</summary>
    private static double GlobalCut(IEnumerable<Tensor> weights, double sparsity)
    {
        using var scope = NewDisposeScope();
        var all = cat([.. weights.Select(weight => weight.abs().to(ScalarType.Float32).reshape(-1))]);
        var count = (long)(all.numel() * sparsity);
        return count == 0 ? -1 : SmallestScores.Threshold(all, count - 1).ToSingle();
    }
}

/// <summary>What magnitudes are ranked within.</summary>
public enum MagnitudeScope
{
    [Description("Each linear by itself")]
    PerLayer,

    [Description("All linears of all blocks together")]
    Global,
}

/// <summary>Where the cut lies in the sorted magnitudes of a linear.</summary>
public enum MagnitudeCut
{
    [Description("Up to and including the one at position int(n·s), as Wanda's released code does: one entry more, and its equals")]
    Released,

    [Description("int(n·s) entries; of equal ones the first")]
    Exact,
}
