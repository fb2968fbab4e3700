namespace Pipelines.Activities.Allocation;

/// <summary>One thing that the search sets a level of: a linear's sparsity or bit-width, whether a sub-block is there.</summary>
/// <param name="Lowest">Lowest level that it has.</param>
/// <param name="Highest">Highest level that it has.</param>
/// <param name="Group">Levels are exchanged within a group: in it, a level of any unit costs the same.</param>
public sealed record LevelUnit(string Name, int Lowest, int Highest, int Group = 0);

/// <summary>Where EvoPress searches: integer levels, whose sum within each group never changes.</summary>
public sealed class LevelSpace
{
    /// <param name="start">What has the budget that is to be kept; for levels around a uniform one, all zero.</param>
    /// <exception cref="ArgumentException">A level is out of its unit's bounds.</exception>
    public LevelSpace(IReadOnlyList<LevelUnit> units, IReadOnlyList<int> start)
    {
        (Units, Start) = (units, start);
        if (units.Count != start.Count)
            throw new ArgumentException($"{start.Count} levels for {units.Count} units");
        foreach (var (unit, level) in units.Zip(start))
        {
            if (level < unit.Lowest || level > unit.Highest)
                throw new ArgumentException($"{unit.Name}: level {level} is not between {unit.Lowest} and {unit.Highest}");
        }
    }

    public IReadOnlyList<LevelUnit> Units { get; }

    public IReadOnlyList<int> Start { get; }

    /// <summary>Whether levels are within bounds and have the start's sum in every group.</summary>
    public bool Contains(IReadOnlyList<int> levels) =>
        levels.Count == Units.Count
        && Units.Zip(levels).All(one => one.Second >= one.First.Lowest && one.Second <= one.First.Highest)
        && Enumerable.Range(0, Units.Count).GroupBy(unit => Units[unit].Group)
            .All(group => group.Sum(unit => levels[unit]) == group.Sum(unit => Start[unit]));

    /// <summary>The start's levels dealt anew among units of one group and equal bounds.</summary>
    internal int[] Shuffle(SplitMix random)
    {
        var levels = Start.ToArray();
        foreach (var alike in Enumerable.Range(0, Units.Count).GroupBy(unit => Units[unit] with { Name = "" }))
        {
            var places = alike.ToArray();
            for (var last = places.Length - 1; last > 0; last--)
            {
                var other = random.Below(last + 1);
                (levels[places[last]], levels[places[other]]) = (levels[places[other]], levels[places[last]]);
            }
        }

        return levels;
    }

    /// <summary>Raises one unit by a level and lowers another of its group; false where nothing can be raised.</summary>
    /// <remarks>Never the same unit: in the released code such a draw does nothing and is evaluated all the same.</remarks>
    internal bool Swap(int[] levels, SplitMix random)
    {
        var raisable = Where(unit => levels[unit] < Units[unit].Highest);
        while (raisable.Count > 0)
        {
            var drawn = random.Below(raisable.Count);
            var up = raisable[drawn];
            var lowerable = Where(unit =>
                unit != up && Units[unit].Group == Units[up].Group && levels[unit] > Units[unit].Lowest);
            if (lowerable.Count > 0)
            {
                levels[up]++;
                levels[lowerable[random.Below(lowerable.Count)]]--;
                return true;
            }

            raisable.RemoveAt(drawn);
        }

        return false;
    }

    private List<int> Where(Predicate<int> allows) => [.. Enumerable.Range(0, Units.Count).Where(unit => allows(unit))];
}
