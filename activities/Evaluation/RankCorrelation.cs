namespace Pipelines.Activities.Evaluation;

/// <summary>Whether two lists of numbers put the same things first: 1 in the same order, −1 in the opposite one.</summary>
public static class RankCorrelation
{
    /// <summary>
    /// Kendall's τ-b: pairs that both put in the same order less those that they put in opposite orders, over the geometric mean
    /// of the pairs that each puts in an order at all.
    /// </summary>
    /// <returns>Null where one of them puts nothing in order.</returns>
    public static double? Kendall(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        var (agreed, orderedX, orderedY) = (0L, 0L, 0L);
        for (var i = 0; i < x.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var (signX, signY) = (x[i].CompareTo(x[j]), y[i].CompareTo(y[j]));
                agreed += Math.Sign(signX) * Math.Sign(signY);
                orderedX += Math.Abs(Math.Sign(signX));
                orderedY += Math.Abs(Math.Sign(signY));
            }
        }

        return orderedX == 0 || orderedY == 0 ? null : agreed / Math.Sqrt((double)orderedX * orderedY);
    }

    /// <summary>Spearman's ρ: the correlation of the ranks, equals sharing the mean of theirs.</summary>
    /// <returns>Null where one of them puts nothing in order.</returns>
    public static double? Spearman(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        var (ranksX, ranksY) = (Ranks(x), Ranks(y));
        var middle = (x.Count - 1) / 2.0;
        var both = ranksX.Zip(ranksY, (a, b) => (a - middle) * (b - middle)).Sum();
        var (spreadX, spreadY) = (ranksX.Sum(rank => (rank - middle) * (rank - middle)), ranksY.Sum(rank => (rank - middle) * (rank - middle)));
        return spreadX == 0 || spreadY == 0 ? null : both / Math.Sqrt(spreadX * spreadY);
    }

    /// <summary>From 0 for the least; equals share the mean of theirs.</summary>
    public static double[] Ranks(IReadOnlyList<double> values)
    {
        var order = Enumerable.Range(0, values.Count).OrderBy(i => values[i]).ToArray();
        var ranks = new double[values.Count];
        for (var first = 0; first < order.Length;)
        {
            var last = first;
            while (last + 1 < order.Length && values[order[last + 1]] == values[order[first]])
                last++;
            for (var at = first; at <= last; at++)
                ranks[order[at]] = (first + last) / 2.0;
            first = last + 1;
        }

        return ranks;
    }
}
