namespace Pipelines.Activities.Allocation;

/// <summary>
/// Depth pruning as levels: 1 for a sub-block that is dropped. Attention and MLP are two groups, so each loses exactly as many,
/// not necessarily of the same blocks.
/// </summary>
public static class DepthSpace
{
    private const int Attention = 0;
    private const int Mlp = 1;

    /// <param name="removed">Attentions to drop, and as many MLPs; the last ones to begin with.</param>
    public static LevelSpace Create(int blocks, int removed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(removed);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(removed, blocks);
        var start = Enumerable.Range(0, blocks).Select(block => block < blocks - removed ? 0 : 1).ToArray();
        return new LevelSpace([.. Units("attention", Attention), .. Units("mlp", Mlp)], [.. start, .. start]);

        IEnumerable<LevelUnit> Units(string what, int group) =>
            Enumerable.Range(0, blocks).Select(block => new LevelUnit($"{block}.{what}", 0, 1, group));
    }

    /// <summary>Per block, whether its attention and its MLP are dropped.</summary>
    public static (bool[] Attention, bool[] Mlp) Dropped(IReadOnlyList<int> levels)
    {
        var blocks = levels.Count / 2;
        return ([.. levels.Take(blocks).Select(level => level == 1)], [.. levels.Skip(blocks).Select(level => level == 1)]);
    }
}
