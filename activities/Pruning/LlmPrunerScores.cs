using System.ComponentModel;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>LLM-Pruner's importances (Ma et al., arXiv:2305.11627, section 3.2), as pure functions in double precision.</summary>
public static class LlmPrunerScores
{
    /// <summary>How much each row or column of a weight is worth: with S = W ⊙ G, sums over the other axis.</summary>
    /// <param name="axis">0 for rows, 1 for columns.</param>
    /// <param name="weight">[out, in].</param>
    /// <param name="gradient">G [out, in], of the mean loss; not looked at where only the weight counts.</param>
    /// <param name="squares">F [out, in], the mean of each sequence's squared gradient; for the second order only.</param>
    /// <returns>[rows] or [columns].</returns>
    public static Tensor Lines(TaylorImportance importance, int axis, Tensor weight, Tensor? gradient, Tensor? squares)
    {
        using var scope = NewDisposeScope();
        var w = weight.detach().to(ScalarType.Float64);
        long[] other = [1 - axis];
        var lines = importance switch
        {
            TaylorImportance.Vector => (w * gradient!).sum(other).abs(),
            TaylorImportance.ParamFirst => (w * gradient!).abs().sum(other),
            TaylorImportance.ParamSecond => (w.square() * squares!).abs().sum(other),
            TaylorImportance.ParamMix => (w * gradient! - 0.5 * w.square() * squares!).abs().sum(other),
            TaylorImportance.L1 => w.abs().sum(other),
            TaylorImportance.L2 => w.square().sum(other),
            _ => throw new ArgumentOutOfRangeException(nameof(importance), importance, "an unknown importance"),
        };
        return lines.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Sets the scores of a site's members beside each other, channel by channel, and reduces them to one. Members of which a
    /// unit has more channels (query heads that share a KV head) are added up to the fewest first.
    /// </summary>
    /// <param name="lines">Of a member: [rows] or [columns].</param>
    /// <returns>[units, channels of a unit].</returns>
    public static Tensor Channels(LinearSite site, Func<LinearMember, Tensor> lines, GroupReduction reduction, GroupFold fold)
    {
        using var scope = NewDisposeScope();
        var channels = site.Linears.Min(member => member.Indices(0).Count());
        if (site.Linears.Any(member => member.Indices(0).Count() % channels != 0))
            channels = 1;
        var all = stack(site.Linears.Select(member => Folded(member, lines(member))));
        var reduced = reduction switch
        {
            GroupReduction.Sum => all.sum([0L]),
            GroupReduction.Mean => all.mean([0L]),
            GroupReduction.Max => all.amax([0L]),
            GroupReduction.Prod => all.prod(0),
            GroupReduction.First => all[0],
            _ => throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "an unknown reduction"),
        };
        return reduced.MoveToOuterDisposeScope();

        Tensor Folded(LinearMember member, Tensor values)
        {
            if (fold == GroupFold.Modulo)
                return values.view(-1, site.Count * channels).sum([0L]).view(site.Count, channels);
            var index = tensor(Enumerable.Range(0, site.Count).SelectMany(member.Indices).ToArray(), device: values.device);
            return values.index_select(0, index).view(site.Count, -1, channels).sum([1L]);
        }
    }

    /// <summary>The units without the lowest <c>int(ratio · n)</c>, in ascending order; of equals the first go first, and one always stays.</summary>
    public static int[] Keep(double[] scores, double ratio)
    {
        var removed = Math.Min((int)(ratio * scores.Length), scores.Length - 1);
        return [.. Enumerable.Range(0, scores.Length).OrderBy(unit => scores[unit]).ThenBy(unit => unit).Skip(removed).Order()];
    }
}

/// <summary>What a row or column of a weight is scored by; G is the loss's gradient, F the mean of its square over sequences.</summary>
public enum TaylorImportance
{
    [Description("Σ|W G|: the published default (Element¹)")]
    ParamFirst,

    [Description("|Σ W G|")]
    Vector,

    [Description("Σ|W² F| (Element²)")]
    ParamSecond,

    [Description("Σ|W G − W² F / 2|")]
    ParamMix,

    [Description("Σ|W|; needs no data")]
    L1,

    [Description("ΣW²; needs no data")]
    L2,
}

/// <summary>How the scores of a group's matrices become one.</summary>
public enum GroupReduction
{
    Sum,
    Mean,
    Max,
    Prod,

    [Description("That of the first matrix alone: q, or gate")]
    First,
}

/// <summary>Which query channels are added to which KV channel under grouped queries.</summary>
public enum GroupFold
{
    [Description("Those of the query heads that read the KV head")]
    Contiguous,

    [Description("As released: channel i of the queries to channel i modulo the KV width, whichever head reads it")]
    Modulo,
}
