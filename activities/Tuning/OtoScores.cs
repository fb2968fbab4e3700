namespace Pipelines.Activities.Tuning;

/// <summary>Which groups OTOv2 finds redundant, as its published code has it. Pure functions.</summary>
public static class OtoScores
{
    private const double Smoothing = 1e-6;

    /// <summary>
    /// <c>½ n(cos(x, d)) + ½ n(1 / (‖x‖ / |g| + 10⁻⁶))</c>, with n dividing by the norm over all groups: high for those that
    /// are small and that the objective makes smaller.
    /// </summary>
    /// <param name="cosines">Of each group with the direction that it is moved against.</param>
    /// <param name="means">‖x‖ / |g| of each group.</param>
    public static double[] Of(IReadOnlyList<double> cosines, IReadOnlyList<double> means)
    {
        var small = means.Select(mean => 1 / (mean + Smoothing)).ToArray();
        var (along, little) = (Norm(cosines), Norm(small));
        return [.. cosines.Zip(small, (cosine, one) => 0.5 * (along > 0 ? cosine / along : 0) + 0.5 * one / little)];
    }

    /// <summary>
    /// The most redundant groups, in order, until what is left is within the budget, and some more to choose from. One of
    /// each site stays. Of equal scores the earlier goes first.
    /// </summary>
    /// <param name="scores">Of the groups of each site.</param>
    /// <param name="cost">Of so many groups left at each site.</param>
    /// <param name="margin">More groups than needed, as a share of all.</param>
    /// <returns>Their places.</returns>
    public static (int Site, int Unit)[] Redundant(
        IReadOnlyList<double[]> scores, Func<IReadOnlyList<int>, double> cost, double budget, double margin)
    {
        var left = scores.Select(site => site.Length).ToArray();
        var more = (int)(margin * left.Sum());
        var found = new List<(int, int)>();
        var ranked = scores.SelectMany((site, index) => site.Select((score, unit) => (score, index, unit)))
            .OrderByDescending(one => one.score).ThenBy(one => one.index).ThenBy(one => one.unit);
        var enough = cost(left) <= budget;
        foreach (var (_, site, unit) in ranked)
        {
            if (left[site] == 1)
                continue;
            if (enough && more-- <= 0)
                break;
            left[site]--;
            found.Add((site, unit));
            enough = enough || cost(left) <= budget;
        }

        return [.. found];
    }

    private static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(value => value * value));
}
