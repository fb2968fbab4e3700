using Pipelines.Workflows;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// The PQ index, a measure of how unequal numbers are, and how many of them it says can go ("Pruning Deep Neural Networks from a
/// Sparsity Perspective", arXiv:2302.05601).
/// </summary>
/// <param name="P">Of the lower norm; above 0.</param>
/// <param name="Q">Of the higher norm; above <paramref name="P"/>.</param>
public sealed record PqIndex(double P, double Q)
{
    /// <exception cref="StageException">The norms are in the wrong order.</exception>
    public PqIndex Check() => P < Q ? this : throw new StageException($"p is {P} and q is {Q}: expected p below q");

    /// <summary>
    /// <c>I = 1 − d^{1/q − 1/p} · ‖w‖_p / ‖w‖_q</c>: 0 where all have the same magnitude, the nearer to 1 the fewer of them make
    /// up the whole. The same for w and 2 w.
    /// </summary>
    /// <param name="weights">Those that are not masked. 0 for none of them, and where all are 0.</param>
    public double Of(ReadOnlySpan<float> weights)
    {
        // By the largest, so that no power overflows: the index does not change.
        var largest = 0.0;
        foreach (var weight in weights)
            largest = Math.Max(largest, Math.Abs(weight));
        if (largest == 0)
            return 0;
        var (low, high) = (0.0, 0.0);
        foreach (var weight in weights)
        {
            var share = Math.Abs(weight) / largest;
            low += Math.Pow(share, P);
            high += Math.Pow(share, Q);
        }

        var index = 1 - Math.Pow(weights.Length, 1 / Q - 1 / P) * Math.Pow(low, 1 / P) / Math.Pow(high, 1 / Q);
        // A rounding below 0 where all are equal.
        return Math.Clamp(index, 0, 1);
    }

    /// <summary><c>⌊d · min(γ (1 − r/d), β)⌋</c> with <c>r = ⌈d (1 + η)^{−q/(q−p)} (1 − I)^{pq/(q−p)}⌉</c>, the fewest that must stay.</summary>
    /// <param name="count">d, weights that are not masked.</param>
    /// <param name="index">Their I.</param>
    /// <param name="tolerance">η: how much of the norm may be lost, beyond what the index says.</param>
    /// <param name="pace">γ: the share of what may go that goes at once.</param>
    /// <param name="most">β: the most that goes, as a share of the count.</param>
    public long Removable(long count, double index, double tolerance, double pace, double most)
    {
        if (count == 0)
            return 0;
        var bound = count * Math.Pow(1 + tolerance, -Q / (Q - P)) * Math.Pow(1 - index, P * Q / (Q - P));
        var least = Math.Clamp(Math.Ceiling(bound - 1e-9), 0, count);
        return (long)Math.Floor(count * Math.Min(pace * (1 - least / count), most) + 1e-9);
    }
}
