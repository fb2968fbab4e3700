namespace Pipelines.Activities.Modeling;

/// <summary>
/// An order of so many things, drawn anew each epoch: which of them stands at a position follows from the seed and the
/// position alone.
/// </summary>
public sealed class EpochOrder(int count, long seed)
{
    private long epoch = -1;
    private int[] order = [];

    /// <param name="position">From 0, over all epochs.</param>
    public int At(long position)
    {
        Draw(position / count);
        return order[position % count];
    }

    /// <summary>What a step takes.</summary>
    /// <param name="step">From 0.</param>
    public long[] Rows(long step, int size)
    {
        var rows = new long[size];
        for (var i = 0; i < size; i++)
            rows[i] = At(step * size + i);
        return rows;
    }

    private void Draw(long wanted)
    {
        if (wanted == epoch)
            return;
        epoch = wanted;
        order = [.. Enumerable.Range(0, count)];
        new Random(HashCode(seed, epoch)).Shuffle(order);
    }

    // Not System.HashCode: that differs from process to process.
    private static int HashCode(long seed, long epoch) => (int)((seed * 1_000_003 + epoch) & int.MaxValue);
}
