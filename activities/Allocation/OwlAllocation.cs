using static TorchSharp.torch;

namespace Pipelines.Activities.Allocation;

/// <summary>
/// OWL (Yin et al., arXiv:2310.05175): blocks with more outliers among their Wanda scores keep more weights.
/// </summary>
public static class OwlAllocation
{
    /// <summary>Of a block, the share of scores above <paramref name="multiple"/> times their mean, in percent.</summary>
    /// <param name="scores">|W|·‖x‖ of each linear of the block, measured on the dense model.</param>
    public static double OutlierPercent(IReadOnlyList<Tensor> scores, double multiple)
    {
        using var scope = NewDisposeScope();
        var count = scores.Sum(one => one.numel());
        var mean = scores.Sum(one => one.sum(ScalarType.Float64).ToDouble()) / count;
        return 100.0 * scores.Sum(one => one.gt(mean * multiple).sum().ToInt64()) / count;
    }

    /// <summary>
    /// Sparsities whose mean is <paramref name="sparsity"/>: the outlier shares, scaled to a span of 2λ and centred.
    /// </summary>
    /// <param name="outliers">Per block, in any unit.</param>
    /// <param name="lambda">Half of the span between the densest and the sparsest block.</param>
    public static double[] Sparsities(IReadOnlyList<double> outliers, double sparsity, double lambda)
    {
        var (least, most) = (outliers.Min(), outliers.Max());
        var scaled = outliers.Select(share => most > least ? (share - least) / (most - least) * 2 * lambda : 0).ToArray();
        var mean = scaled.Average();
        return [.. scaled.Select(share => sparsity - (share - mean))];
    }
}
