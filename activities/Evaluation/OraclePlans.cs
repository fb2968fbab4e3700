using Pipelines.Activities.Allocation;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>Ways to keep so many units at each of several places: all there are, or some drawn at random.</summary>
public static class OraclePlans
{
    // A draw that was there before is drawn anew; with fewer ways than twice those wanted all are listed instead.
    private const int Enough = 2;

    /// <param name="places">Units of each place, and how many stay.</param>
    /// <param name="wanted">How many different ways; all of them where there are no more.</param>
    /// <returns>Of each way, of each place the units that stay, in ascending order.</returns>
    /// <exception cref="StageException">There is only one way.</exception>
    public static IReadOnlyList<int[][]> Of(IReadOnlyList<(int Count, int Kept)> places, int wanted, long seed)
    {
        var ways = places.Aggregate(1.0, (product, place) => product * Ways(place.Count, place.Kept));
        if (ways < 2)
            throw new StageException("there is only one way to keep so many units: choose a ratio that removes some and leaves some");
        var random = new SplitMix((ulong)seed, 0);
        if (ways <= Enough * (double)wanted)
        {
            var all = All(places, 0).ToArray();
            return all.Length <= wanted
                ? all
                : [.. Subset(all.Length, wanted, random).Select(index => all[index])];
        }

        var drawn = new List<int[][]>();
        var seen = new HashSet<string>();
        while (drawn.Count < wanted)
        {
            int[][] plan = [.. places.Select(place => Subset(place.Count, place.Kept, random))];
            if (seen.Add(string.Join(';', plan.Select(kept => string.Join(',', kept)))))
                drawn.Add(plan);
        }

        return drawn;
    }

    private static IEnumerable<int[][]> All(IReadOnlyList<(int Count, int Kept)> places, int at)
    {
        if (at == places.Count)
            return [[]];
        return Subsets(places[at].Count, places[at].Kept, 0)
            .SelectMany(kept => All(places, at + 1).Select(rest => (int[][])[kept, .. rest]));
    }

    /// <summary>In lexicographic order.</summary>
    private static IEnumerable<int[]> Subsets(int count, int kept, int from)
    {
        if (kept == 0)
            return [[]];
        return Enumerable.Range(from, count - kept - from + 1)
            .SelectMany(first => Subsets(count, kept - 1, first + 1).Select(rest => (int[])[first, .. rest]));
    }

    /// <summary>All subsets as likely: a shuffle that stops when it has enough.</summary>
    private static int[] Subset(int count, int kept, SplitMix random)
    {
        int[] units = [.. Enumerable.Range(0, count)];
        for (var i = 0; i < kept; i++)
        {
            var at = i + random.Below(count - i);
            (units[i], units[at]) = (units[at], units[i]);
        }

        return [.. units[..kept].Order()];
    }

    private static double Ways(int count, int kept)
    {
        var ways = 1.0;
        for (var i = 1; i <= kept; i++)
            ways = ways * (count - kept + i) / i;
        return Math.Round(ways);
    }
}
