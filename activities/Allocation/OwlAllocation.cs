using System.ComponentModel;
using Pipelines.Activities.Calibration;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
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
    /// <exception cref="StageException">A block would have a sparsity below 0 or above 1.</exception>
    public static double[] Sparsities(IReadOnlyList<double> outliers, double sparsity, double lambda)
    {
        var (least, most) = (outliers.Min(), outliers.Max());
        var scaled = outliers.Select(share => most > least ? (share - least) / (most - least) * 2 * lambda : 0).ToArray();
        var mean = scaled.Average();
        double[] sparsities = [.. scaled.Select(share => sparsity - (share - mean))];
        foreach (var (block, one) in sparsities.Index())
        {
            if (one is < 0 or > 1)
                throw new StageException($"a sparsity of {sparsity} spread by {lambda} gives block {block} one of {one:0.###}: spread less");
        }

        return sparsities;
    }

    /// <summary>What to zero of each block: the same of all, or by the outliers of the dense model.</summary>
    /// <param name="tokens">[sequences, length], int64; run once through the model, block by block.</param>
    /// <param name="owl">Null for the same of all; nothing is run then.</param>
    public static double[] Measure(
        CausalLM model, Tensor tokens, double sparsity, OwlOptions? owl, ReportProgress report, CancellationToken cancellation)
    {
        if (owl is null)
            return [.. model.Blocks.Select(_ => sparsity)];
        var outliers = new List<double>();
        using var runner = new BlockRunner(model, tokens, cancellation);
        while (runner.MoveNext())
        {
            using var moments = runner.MeasureAndAdvance(spread: false);
            outliers.Add(OutlierPercent(runner.Block, linear => moments[linear].MeanSquare, owl.Multiple));
            report(runner.Index + 1, 2 * model.Blocks.Count, "block", ("outliers", outliers[^1]));
        }

        return Sparsities(outliers, sparsity, owl.Lambda);
    }

    /// <summary>Of a block on the dense model, by the mean squares of its linears' inputs.</summary>
    /// <param name="meanSquare">By the linear's name: [in].</param>
    public static double OutlierPercent(DecoderBlock block, Func<string, Tensor> meanSquare, double multiple)
    {
        using var scope = NewDisposeScope();
        return OutlierPercent(
            [.. block.Linears.Select(linear => linear.Weight.to(ScalarType.Float32).abs() * meanSquare(linear.Name).sqrt().to(ScalarType.Float32))],
            multiple);
    }
}

/// <param name="Multiple">M: a score above so many times the block's mean is an outlier.</param>
/// <param name="Lambda">Half of the span between the densest and the sparsest block.</param>
public sealed record OwlOptions(double Multiple, double Lambda);

/// <summary>How a sparsity is spread over the blocks.</summary>
public enum SparsityAllocation
{
    [Description("The same in every block")]
    Uniform,

    [Description("Less where more of the dense model's scores are outliers (OWL, arXiv:2310.05175)")]
    Owl,
}
