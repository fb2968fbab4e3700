using System.ComponentModel;
using Pipelines.Workflows;

namespace Pipelines.Activities.Allocation;

/// <summary>
/// One ranking of the units of all sites: the lowest go, up to the first with which they would cost more than the budget.
/// </summary>
/// <remarks>Of equal scores the unit of the earlier site goes first, within a site the one of lower index.</remarks>
public static class GlobalRanking
{
    // A budget that is a share of a whole number may miss the whole number that it means by a rounding.
    private const double Slack = 1e-9;

    /// <summary>Which units of each site stay.</summary>
    /// <param name="sites">In the order of the model.</param>
    /// <param name="budget">Cost to remove, in the unit of <see cref="RankedSite.Cost"/>.</param>
    /// <returns>Per site, the units that stay, in order.</returns>
    /// <exception cref="StageException">A score is not a number.</exception>
    public static int[][] Keep(IReadOnlyList<RankedSite> sites, double budget, RankBy compared = RankBy.Score)
    {
        foreach (var site in sites)
        {
            if (site.Scores.Any(double.IsNaN))
                throw new StageException($"{site.Name}: a score is not a number");
        }

        var removed = sites.Select(site => new bool[site.Scores.Count]).ToArray();
        var left = sites.Select(site => site.Scores.Count).ToArray();
        var spent = 0.0;
        foreach (var (site, unit) in Order(sites, compared))
        {
            if (left[site] <= sites[site].Least)
                continue;
            var cost = sites[site].Cost;
            if (spent + cost > budget * (1 + Slack))
                break;
            removed[site][unit] = true;
            left[site]--;
            spent += cost;
        }

        return [.. removed.Select(site => site.Index().Where(unit => !unit.Item).Select(unit => unit.Index).ToArray())];
    }

    // Sorts stably: equals stay in the order of sites and units.
    private static IEnumerable<(int Site, int Unit)> Order(IReadOnlyList<RankedSite> sites, RankBy compared) => sites.Index()
        .SelectMany(site => site.Item.Scores.Index().Select(unit => (Site: site.Index, Unit: unit.Index, Score: unit.Item)))
        .OrderBy(unit => compared == RankBy.Score ? unit.Score : unit.Score / sites[unit.Site].Cost)
        .Select(unit => (unit.Site, unit.Unit));
}

/// <summary>Units that compete with those of other sites: the KV groups of a block, or its neurons.</summary>
/// <param name="Scores">Of each unit; low ones go first.</param>
/// <param name="Cost">Of a unit, in parameters or operations.</param>
/// <param name="Least">Units that stay whatever they score.</param>
public sealed record RankedSite(string Name, IReadOnlyList<double> Scores, double Cost, int Least = 1);

/// <summary>What units of different cost are compared by.</summary>
public enum RankBy
{
    [Description("The score itself")]
    Score,

    [Description("The score over the cost")]
    ScorePerCost,
}
