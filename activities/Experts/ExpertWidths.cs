namespace Pipelines.Activities.Experts;

/// <summary>Whole widths that sum up to a budget exactly.</summary>
public static class ExpertWidths
{
    /// <summary>
    /// The wanted widths, stretched to the budget: in proportion, each at least 1 and at most its limit; what rounding
    /// leaves over goes to the largest fractions, of equals to the first.
    /// </summary>
    /// <param name="budget">What they shall sum up to; brought within reach where it is not.</param>
    public static int[] Scale(IReadOnlyList<int> wanted, IReadOnlyList<int> limits, int budget)
    {
        budget = Math.Clamp(budget, wanted.Count, limits.Sum());
        var exact = Stretch(wanted, limits, budget);
        var widths = exact.Select(value => (int)Math.Floor(value + 1e-9)).ToArray();
        var order = Enumerable.Range(0, widths.Length).OrderByDescending(i => exact[i] - widths[i]).ThenBy(i => i).ToArray();
        for (var i = 0; widths.Sum() < budget; i = (i + 1) % order.Length)
        {
            if (widths[order[i]] < limits[order[i]])
                widths[order[i]]++;
        }

        return widths;
    }

    /// <summary>By bisection on the factor: the sum of the clipped values grows with it.</summary>
    private static double[] Stretch(IReadOnlyList<int> wanted, IReadOnlyList<int> limits, int budget)
    {
        double[] At(double factor) => [.. wanted.Select((width, i) => Math.Clamp(width * factor, 1, limits[i]))];
        var (low, high) = (0.0, 2.0 * limits.Max());
        for (var i = 0; i < 200; i++)
        {
            var middle = (low + high) / 2;
            if (At(middle).Sum() <= budget)
                low = middle;
            else
                high = middle;
        }

        return At(low);
    }
}
