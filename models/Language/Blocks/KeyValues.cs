using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Keys and values of the positions that one block's attention has seen, so that the next position is computed by itself.
/// Memory for all of them is taken at once: nothing is copied as they grow.
/// </summary>
public sealed class KeyValues : IDisposable
{
    // [B, KV heads, capacity, width]: a head's positions lie beside each other, as the products read them.
    private readonly Tensor keys;
    private readonly Tensor values;

    /// <param name="capacity">Positions at most.</param>
    public KeyValues(Attention attention, long batch, long capacity, ScalarType dtype, Device device)
    {
        keys = empty(batch, attention.KeyValueHeads, capacity, attention.KeyDim, dtype: dtype, device: device).DetachFromDisposeScope();
        values = empty(batch, attention.KeyValueHeads, capacity, attention.ValueDim, dtype: dtype, device: device).DetachFromDisposeScope();
    }

    /// <summary>Positions seen.</summary>
    public long Length { get; private set; }

    /// <summary>[B, KV heads, Length, KeyDim], turned.</summary>
    public Tensor Keys => keys.narrow(2, 0, Length);

    /// <summary>[B, KV heads, Length, ValueDim].</summary>
    public Tensor Values => values.narrow(2, 0, Length);

    /// <param name="key">[B, T, KV heads, KeyDim].</param>
    /// <param name="value">[B, T, KV heads, ValueDim].</param>
    public void Append(Tensor key, Tensor value)
    {
        using var scope = NewDisposeScope();
        var added = key.shape[1];
        keys.narrow(2, Length, added).copy_(key.transpose(1, 2));
        values.narrow(2, Length, added).copy_(value.transpose(1, 2));
        Length += added;
    }

    public void Dispose()
    {
        keys.Dispose();
        values.Dispose();
    }
}

/// <summary>The keys and values of every block of a model, for a generation. Recording a gradient through it makes no sense.</summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly KeyValues?[] blocks;

    /// <param name="batch">Sequences beside each other.</param>
    /// <param name="capacity">Positions at most, those of the prompt among them.</param>
    public KeyValueCache(CausalLM model, long batch, long capacity)
    {
        Capacity = capacity;
        blocks =
        [
            .. model.Blocks.Select(block => block.Attention is { } attention
                ? new KeyValues(attention, batch, capacity, model.Dtype, model.Device)
                : null),
        ];
    }

    public long Capacity { get; }

    /// <summary>Positions that every block has seen.</summary>
    public long Length { get; private set; }

    /// <summary>Of a block; null where it has no attention.</summary>
    public KeyValues? this[int block] => blocks[block];

    internal void Advance(long positions) => Length += positions;

    public void Dispose()
    {
        foreach (var block in blocks)
            block?.Dispose();
    }
}
