using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>Learned gates, frozen so that they keep to a budget: no noise, and every vector keeps at least one.</summary>
public static class BudgetFreeze
{
    /// <summary>
    /// Opens the gates of all vectors in the order of their logits, the largest first, and passes over those with which the
    /// size would be above the budget.
    /// </summary>
    /// <param name="logits">[n] each. Of equal ones the earlier vector's go first, and in a vector those of higher index.</param>
    /// <param name="added">What one gate more in a vector adds, given how many each vector has open.</param>
    /// <param name="budget">In the unit of <paramref name="added"/>.</param>
    /// <returns>Ascending indices of each vector. The first of each is kept even where the budget does not reach.</returns>
    public static int[][] Keep(IReadOnlyList<Tensor> logits, Func<int, IReadOnlyList<int>, double> added, double budget)
    {
        var values = logits.Select(KeptIndices.Read).ToArray();
        var open = values.Select(_ => new List<int>()).ToArray();
        var counts = new int[values.Length];
        var size = 0.0;
        var best = values.Select(vector => vector.LastIndexOf(vector.Max())).ToArray();
        for (var vector = 0; vector < values.Length; vector++)
            Open(vector, best[vector]);

        var order = values.SelectMany((vector, index) => vector.Select((value, gate) => (value, index, gate)))
            .Where(one => one.gate != best[one.index])
            .OrderByDescending(one => one.value).ThenBy(one => one.index).ThenByDescending(one => one.gate);
        foreach (var (_, vector, gate) in order)
        {
            if (size + added(vector, counts) <= budget)
                Open(vector, gate);
        }

        return [.. open.Select(vector => vector.Order().ToArray())];

        void Open(int vector, int gate)
        {
            size += added(vector, counts);
            counts[vector]++;
            open[vector].Add(gate);
        }
    }
}
