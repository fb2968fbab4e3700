using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>A linear of a block: <c>y = x Wᵀ + b</c>, between some channels of its input and some of its output.</summary>
/// <param name="name">The checkpoint's name for it: <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="weight">[out, in].</param>
/// <param name="bias">[out].</param>
public sealed class Linear(string name, Tensor weight, Tensor? bias) : IDisposable
{
    public string Name { get; internal set; } = name;

    public Tensor Weight { get; private set; } = weight;

    public Tensor? Bias { get; private set; } = bias;

    /// <summary>Added to what the weight does; null for none.</summary>
    public LoraAdapter? Adapter { get; set; }

    /// <summary>[in], int64: the channels of the input that the weight's columns stand for; null for all, in order.</summary>
    public Tensor? Reads { get; private set; }

    /// <summary>[out], int64: the channels of the output that the weight's rows stand for; the others are 0. Null for all, in order.</summary>
    public Tensor? Writes { get; private set; }

    /// <summary>Channels of the output where <see cref="Writes"/> names some of them.</summary>
    public long OutputWidth { get; private set; }

    /// <summary>Takes the weight's place, and disposes the old one. A loaded weight is a view of its file: it is replaced, not written to.</summary>
    public void SetWeight(Tensor replacement)
    {
        Weight.Dispose();
        Weight = replacement.DetachFromDisposeScope();
    }

    public void SetBias(Tensor? replacement)
    {
        Bias?.Dispose();
        Bias = replacement?.DetachFromDisposeScope();
    }

    /// <param name="channels">[in], int64.</param>
    public void SetReads(Tensor channels)
    {
        Reads?.Dispose();
        Reads = channels.DetachFromDisposeScope();
    }

    /// <param name="channels">[out], int64.</param>
    /// <param name="width">Channels of the whole output.</param>
    public void SetWrites(Tensor channels, long width)
    {
        Writes?.Dispose();
        (Writes, OutputWidth) = (channels.DetachFromDisposeScope(), width);
    }

    /// <summary>The share of the weight's entries that are zero.</summary>
    public double Sparsity()
    {
        using var scope = NewDisposeScope();
        return (double)Weight.eq(0).sum().ToInt64() / Weight.numel();
    }

    /// <param name="x">[…, in].</param>
    /// <returns>[…, out].</returns>
    public Tensor Forward(Tensor x, LinearHook? hook)
    {
        x = hook?.Before(this, x) ?? x;
        if (Reads is not null)
            x = x.index_select(-1, Reads);
        var y = Adapter is null ? nn.functional.linear(x, Weight, Bias) : Adapter.Forward(x, Weight, Bias);
        if (Writes is not null)
            y = zeros([.. y.shape[..^1], OutputWidth], dtype: y.dtype, device: y.device).index_copy(-1, Writes, y);
        return hook?.After(this, y) ?? y;
    }

    public void Dispose()
    {
        Weight.Dispose();
        Bias?.Dispose();
        Adapter?.Dispose();
        Reads?.Dispose();
        Writes?.Dispose();
    }
}
