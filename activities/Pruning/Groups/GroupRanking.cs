using System.ComponentModel;
using Pipelines.Workflows;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// Which units of each site stay, of so many that go. Of equal scores the unit of the earlier site goes first, within a site
/// the one of lower index; one of each site stays, or as many as it is rounded to.
/// </summary>
/// <param name="scores">Of each site's units.</param>
/// <param name="roundTo">A site that loses units keeps a multiple of it, rounded down; 1 for any number.</param>
public sealed class GroupRanking(IReadOnlyList<double[]> scores, int roundTo = 1)
{
    private readonly int total = scores.Sum(site => site.Length);

    /// <summary>The units without the lowest <c>⌈ratio · n⌉</c> of each site, so that <c>⌊(1 − ratio) · n⌋</c> stay.</summary>
    public int[][] Local(double ratio) => Kept([.. scores.Select(site => site.Length - (int)(site.Length * (1 - ratio) + 1e-9))]);

    /// <summary>The units without the lowest <paramref name="removed"/> of all sites together, as far as sites have units to lose.</summary>
    public int[][] Global(int removed)
    {
        var gone = new int[scores.Count];
        var lowest = scores.Index().SelectMany(site => site.Item.Index().Select(unit => (Site: site.Index, Score: unit.Item)))
            .OrderBy(unit => unit.Score).Select(unit => unit.Site);
        foreach (var site in lowest)
        {
            if (removed == 0)
                break;
            if (gone[site] >= scores[site].Length - Least(scores[site].Length))
                continue;
            gone[site]++;
            removed--;
        }

        return Kept(gone);
    }

    /// <summary>The same for <c>⌈ratio · n⌉</c> of all.</summary>
    public int[][] Global(double ratio) => Global(total - (int)(total * (1 - ratio) + 1e-9));

    /// <summary>The fewest that go so that what stays costs no more than the budget.</summary>
    /// <param name="cost">Of so many kept units of each site; falls as they do.</param>
    /// <exception cref="StageException">Even the least that can stay costs more.</exception>
    public int[][] Within(double budget, GroupOrder order, Func<IReadOnlyList<int>, double> cost)
    {
        var (few, many) = (0, total);
        if (Cost(At(many)) > budget)
            throw new StageException($"with one unit or {roundTo} of each site left it would still cost {Cost(At(many)):0}, more than the {budget:0} that are meant: choose a lower ratio or a larger scope");
        while (few < many)
        {
            var middle = (few + many) / 2;
            if (Cost(At(middle)) <= budget)
                many = middle;
            else
                few = middle + 1;
        }

        return At(many);

        int[][] At(int removed) => order == GroupOrder.Global ? Global(removed) : Local((double)removed / total);

        double Cost(int[][] kept) => cost([.. kept.Select(units => units.Length)]);
    }

    private int Least(int count) => Math.Min(roundTo, count);

    private int[][] Kept(int[] removed) =>
        [.. scores.Zip(removed, (site, gone) => Lowest(site).Skip(site.Length - Rounded(site.Length, site.Length - gone)).Order().ToArray())];

    private int Rounded(int count, int kept) => kept == count ? count : Math.Max(kept / roundTo * roundTo, Least(count));

    private static IOrderedEnumerable<int> Lowest(double[] site) =>
        Enumerable.Range(0, site.Length).OrderBy(unit => site[unit]).ThenBy(unit => unit);
}

/// <summary>What a unit competes with.</summary>
public enum GroupOrder
{
    [Description("With the units of its own site: every site loses the same share")]
    Local,

    [Description("With all units")]
    Global,
}
