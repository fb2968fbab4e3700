using Pipelines.Workflows;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// How many weights each layer loses when one ranking goes over all of them, yet none may be emptied: Global MP with a minimum
/// threshold ("Is Complexity Required for Neural Network Pruning?", arXiv:2209.14624).
/// </summary>
public static class LayerFloor
{
    /// <summary>
    /// Layers that would keep fewer than <paramref name="least"/> keep that many; the others' sparsities are scaled up until
    /// the total is what it was, again and again while that empties further ones.
    /// </summary>
    /// <param name="sizes">Weights of each layer.</param>
    /// <param name="global">Of each layer, what the global ranking alone would remove; its sum is the total.</param>
    /// <param name="least">Weights that stay in each layer; a layer that has no more than that stays whole.</param>
    /// <returns>Of each layer, what it loses; the same total.</returns>
    /// <exception cref="StageException">With so much left everywhere the total cannot be reached.</exception>
    public static int[] Counts(IReadOnlyList<int> sizes, IReadOnlyList<long> global, long least)
    {
        var total = global.Sum();
        int[] most = [.. sizes.Select(size => (int)Math.Max(0, size - least))];
        if (most.Sum(one => (long)one) < total)
            throw new StageException($"each layer is to keep {least} weights, so that only {most.Sum(one => (long)one)} can go, but {total} are to: choose a lower floor or sparsity");
        var shares = new double[sizes.Count];
        var full = most.Select(one => one == 0).ToArray();
        for (; ; )
        {
            var open = global.Where((_, layer) => !full[layer]).Sum();
            var missing = total - most.Where((_, layer) => full[layer]).Sum(one => (long)one);
            if (open == 0)
                break;
            var before = full.Count(one => one);
            for (var layer = 0; layer < sizes.Count; layer++)
            {
                shares[layer] = full[layer] ? most[layer] : (double)global[layer] * missing / open;
                if (shares[layer] > most[layer])
                    (shares[layer], full[layer]) = (most[layer], true);
            }

            if (full.Count(one => one) == before)
                break;
        }

        // Where only layers that the ranking spared are left, they give in the measure of what they have.
        var rest = total - shares.Sum();
        var room = most.Zip(shares, (one, share) => one - share).Sum();
        if (rest > 0.5 && room > 0)
            shares = [.. shares.Zip(most, (share, one) => share + (one - share) * rest / room)];
        return Round(shares, total, most);
    }

    /// <summary>Each share down, then one more where most was cut off; of equal remainders in the first layer.</summary>
    private static int[] Round(double[] shares, long total, int[] most)
    {
        // 0.1 · 30 is a little under 3 in binary: what is meant is 3.
        int[] counts = [.. shares.Zip(most, (share, one) => Math.Min((int)Math.Floor(share + 1e-6), one))];
        for (var missing = total - counts.Sum(count => (long)count); missing > 0;)
        {
            var order = Enumerable.Range(0, counts.Length).Where(layer => counts[layer] < most[layer])
                .OrderByDescending(layer => shares[layer] - counts[layer]).Take((int)Math.Min(missing, counts.Length)).ToArray();
            foreach (var layer in order)
                counts[layer]++;
            missing -= order.Length;
        }

        return counts;
    }
}
