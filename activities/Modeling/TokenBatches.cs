using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>
/// Batches for a training loop: sequences in an order drawn anew each epoch. Which sequences a step gets follows from the
/// seed and the step alone, so a loop can go on from any step.
/// </summary>
/// <param name="tokens">[sequences, length].</param>
public sealed class TokenBatches(Tensor tokens, int size, long seed)
{
    private readonly EpochOrder order = new((int)tokens.shape[0], seed);

    /// <returns>[size, length].</returns>
    public Tensor At(long step)
    {
        using var index = tensor(order.Rows(step, size), device: tokens.device);
        return tokens.index_select(0, index);
    }
}
