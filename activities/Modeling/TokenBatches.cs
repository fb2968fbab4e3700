using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>
/// Batches for a training loop: sequences in an order drawn anew each epoch. Which sequences a step gets follows from the
/// seed and the step alone, so a loop can go on from any step.
/// </summary>
/// <param name="tokens">[sequences, length].</param>
public sealed class TokenBatches(Tensor tokens, int size, long seed)
{
    private long epoch = -1;
    private int[] order = [];

    /// <returns>[size, length].</returns>
    public Tensor At(long step)
    {
        var rows = new long[size];
        for (var i = 0; i < size; i++)
        {
            var position = step * size + i;
            Draw(position / tokens.shape[0]);
            rows[i] = order[position % tokens.shape[0]];
        }

        using var index = tensor(rows, device: tokens.device);
        return tokens.index_select(0, index);
    }

    private void Draw(long wanted)
    {
        if (wanted == epoch)
            return;
        epoch = wanted;
        order = [.. Enumerable.Range(0, (int)tokens.shape[0])];
        new Random(HashCode(seed, epoch)).Shuffle(order);
    }

    // Not System.HashCode: that differs from process to process.
    private static int HashCode(long seed, long epoch) => (int)((seed * 1_000_003 + epoch) & int.MaxValue);
}
