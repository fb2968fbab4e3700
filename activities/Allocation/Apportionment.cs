namespace Pipelines.Activities.Allocation;

/// <summary>Whole numbers in place of shares, with an exact sum.</summary>
public static class Apportionment
{
    /// <summary>
    /// Units to remove of each site, the same share everywhere: <c>⌊Σ sizes · ratio⌋</c> together, and at each site that share
    /// rounded up or down.
    /// </summary>
    public static int[] Uniform(IReadOnlyList<int> sizes, double ratio)
    {
        // 0.1 · 30 is a little under 3 in binary: what is meant is 3.
        var total = (long)(sizes.Sum(size => (long)size) * ratio + 1e-9);
        return Round([.. sizes.Select(size => size * ratio)], total, sizes);
    }

    /// <summary>
    /// Rounds by largest remainders: each share down, then one more where most was cut off, until the sum is right. Of equal
    /// remainders the first site gets more.
    /// </summary>
    /// <param name="shares">Not negative.</param>
    /// <param name="total">What the result sums to.</param>
    /// <param name="most">Per site, what it can hold.</param>
    /// <exception cref="ArgumentException">The sites cannot hold the total.</exception>
    public static int[] Round(IReadOnlyList<double> shares, long total, IReadOnlyList<int> most)
    {
        if (total < 0 || total > most.Sum(size => (long)size))
            throw new ArgumentException($"{total} units are to be spread over sites that hold {most.Sum(size => (long)size)}");
        var counts = shares.Zip(most, (share, size) => (int)Math.Clamp(Math.Floor(share + 1e-9), 0, size)).ToArray();
        var missing = total - counts.Sum(count => (long)count);
        while (missing != 0)
        {
            // Rarely more than one round: shares that do not sum to the total, or sites that are full.
            var step = Math.Sign(missing);
            var order = Enumerable.Range(0, counts.Length)
                .Where(site => step > 0 ? counts[site] < most[site] : counts[site] > 0)
                .OrderByDescending(site => step * (shares[site] - counts[site]))
                .Take((int)Math.Min(Math.Abs(missing), counts.Length));
            foreach (var site in order.ToArray())
            {
                counts[site] += step;
                missing -= step;
            }
        }

        return counts;
    }
}
