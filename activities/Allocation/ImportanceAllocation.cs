using Pipelines.Workflows;

namespace Pipelines.Activities.Allocation;

/// <summary>
/// Sparsity by block importance (MoDeGPT, Lin et al., arXiv:2408.09632): the allocation that keeps most importance with an
/// entropy term of strength ε, <c>φ = L · φ̄ · softmax(−s / ε)</c>.
/// </summary>
public static class ImportanceAllocation
{
    /// <summary>What to remove of each block; the mean is <paramref name="mean"/> exactly, up to rounding.</summary>
    /// <param name="importance">Per block, for example 1 − cos(x_in, x_out).</param>
    /// <param name="mean">φ̄, the mean share to remove.</param>
    /// <param name="temperature">ε: the larger, the more uniform.</param>
    /// <param name="most">No block loses more; what is cut off there goes to the others in proportion to their softmax.</param>
    /// <exception cref="StageException">No allocation has that mean, or an importance is not finite.</exception>
    public static double[] Ratios(IReadOnlyList<double> importance, double mean, double temperature = 0.15, double most = 0.8)
    {
        if (mean < 0 || mean > most)
            throw new StageException($"a mean ratio of {mean} with at most {most} per block: it must be between 0 and {most}");
        if (temperature <= 0)
            throw new StageException($"a temperature of {temperature}: it must be above 0");
        if (!importance.All(double.IsFinite))
            throw new StageException("a block's importance is not finite");

        var ratios = new double[importance.Count];
        var free = Enumerable.Range(0, ratios.Length).ToList();
        var rest = mean * ratios.Length;
        while (free.Count > 0)
        {
            // Over the free blocks alone: the last ones stay comparable where the first take nearly all of the softmax.
            var weights = Softmax([.. free.Select(block => -importance[block] / temperature)]);
            foreach (var (index, block) in free.Index())
                ratios[block] = rest * weights[index];
            var full = free.Where(block => ratios[block] > most).ToArray();
            if (full.Length == 0)
                break;
            foreach (var block in full)
                ratios[block] = most;
            rest = Math.Max(rest - most * full.Length, 0);
            free.RemoveAll(full.Contains);
        }

        return ratios;
    }

    private static double[] Softmax(double[] values)
    {
        var largest = values.Max();
        var powers = values.Select(value => Math.Exp(value - largest)).ToArray();
        var sum = powers.Sum();
        return [.. powers.Select(power => power / sum)];
    }
}
