namespace Pipelines.Activities.Tuning;

/// <summary>
/// What becomes of the redundant groups in a step: they go in the order of their redundancy and only until the budget holds,
/// so those that were chosen as a margin and are not needed go on like any other.
/// </summary>
/// <param name="Zero">Are 0 from now on.</param>
/// <param name="Needed">Not yet 0, and the most redundant of those: with them the budget would hold.</param>
/// <param name="Spare">The others, which are pulled as well, for any of them may be the first to go; none once the budget holds.</param>
/// <param name="Left">Of each site, how many groups are not 0.</param>
public sealed record OtoChoice(
    IReadOnlyList<(int Site, int Unit)> Zero, IReadOnlyList<(int Site, int Unit)> Needed, IReadOnlyList<(int Site, int Unit)> Spare,
    IReadOnlyList<int> Left)
{
    /// <param name="redundant">In their order.</param>
    /// <param name="isZero">Whether a group was 0 before the step.</param>
    /// <param name="goes">Whether the step would make it 0.</param>
    /// <param name="counts">Groups of each site.</param>
    /// <param name="cost">Of so many groups left at each site.</param>
    public static OtoChoice Of(
        IReadOnlyList<(int Site, int Unit)> redundant, Func<(int Site, int Unit), bool> isZero, Func<(int Site, int Unit), bool> goes,
        IReadOnlyList<int> counts, Func<IReadOnlyList<int>, double> cost, double budget)
    {
        var left = counts.ToArray();
        var zero = redundant.Where(isZero).ToHashSet();
        foreach (var (site, _) in zero)
            left[site]--;
        var holds = cost(left) <= budget;
        foreach (var one in redundant.Where(one => !zero.Contains(one) && goes(one)).ToArray())
        {
            if (holds)
                break;
            zero.Add(one);
            left[one.Site]--;
            holds = cost(left) <= budget;
        }

        var (needed, spare) = (new List<(int, int)>(), new List<(int, int)>());
        var ahead = left.ToArray();
        var enough = holds;
        foreach (var one in redundant.Where(one => !holds && !zero.Contains(one)))
        {
            (enough ? spare : needed).Add(one);
            ahead[one.Site]--;
            enough = enough || cost(ahead) <= budget;
        }

        return new OtoChoice([.. redundant.Where(zero.Contains)], needed, spare, left);
    }
}
