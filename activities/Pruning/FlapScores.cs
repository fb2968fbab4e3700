using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// FLAP's scores and budget (An et al., arXiv:2312.11983), as pure functions in double precision.
/// </summary>
public static class FlapScores
{
    /// <summary>How much each input channel of a linear is worth.</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="fluctuation">[in], how far each channel moves from its mean.</param>
    /// <param name="meanSquare">[in], Σx² per sequence.</param>
    /// <returns>[in], double.</returns>
    public static Tensor Channels(FlapMetric metric, Tensor weight, Tensor fluctuation, Tensor meanSquare)
    {
        using var scope = NewDisposeScope();
        var w = weight.to(ScalarType.Float64);
        var scores = metric switch
        {
            FlapMetric.Ifv => fluctuation.clone(),
            FlapMetric.Wifv => fluctuation * w.square().sum([0L]),
            FlapMetric.Wifn => (w.abs() * meanSquare.sqrt()).mean([0L]),
            _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "an unknown metric"),
        };
        return scores.MoveToOuterDisposeScope();
    }

    /// <summary>(x − mean) / standard deviation, over all channels of a layer.</summary>
    public static Tensor Standardize(Tensor scores)
    {
        using var scope = NewDisposeScope();
        return ((scores - scores.mean()) / scores.std(unbiased: true)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// One ranking of all units of all layers: walks from the best, adding what each weighs, to where the sum is nearest
    /// to <c>(1 − ratio)</c> of the whole; units above the score found there stay.
    /// </summary>
    /// <param name="scored">Every unit's score, and its parameters in any measure.</param>
    public static double Threshold(IEnumerable<(double Score, double Weight)> scored, double ratio)
    {
        var units = scored.OrderByDescending(unit => unit.Score).ToArray();
        var target = units.Sum(unit => unit.Weight) * (1 - ratio);
        var (best, sum) = (0, 0.0);
        var nearest = double.PositiveInfinity;
        for (var i = 0; i < units.Length; i++)
        {
            sum += units[i].Weight;
            if (Math.Abs(sum - target) < nearest)
                (best, nearest) = (i, Math.Abs(sum - target));
        }

        return units[best].Score;
    }

    /// <summary>
    /// The units of one layer without the lowest <c>int(ratio · n)</c>; equals of the first that stays also stay.
    /// </summary>
    public static int[] KeepUniform(double[] scores, double ratio)
    {
        var threshold = scores.Order().ElementAt((int)(scores.Length * ratio));
        return Keep(scores, score => score >= threshold);
    }

    public static int[] Keep(double[] scores, Func<double, bool> stays) =>
        [.. Enumerable.Range(0, scores.Length).Where(unit => stays(scores[unit]))];
}

/// <summary>What FLAP scores a channel by.</summary>
public enum FlapMetric
{
    /// <summary>Weighted input feature variance: the fluctuation times the squared norm of the weight's column.</summary>
    Wifv,

    /// <summary>Input feature variance.</summary>
    Ifv,

    /// <summary>Weighted input feature norm: the mean over rows of |weight| times the input's norm.</summary>
    Wifn,
}
