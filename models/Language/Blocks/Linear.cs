using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>A linear of a block: <c>y = x Wᵀ + b</c>, between some channels of its input and some of its output.</summary>
/// <param name="name">The checkpoint's name for it: <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="weight">[out, in].</param>
/// <param name="bias">[out].</param>
public sealed class Linear(string name, Tensor weight, Tensor? bias) : IDisposable
{
    internal const string DeltaA = "delta_a";
    internal const string DeltaB = "delta_b";

    private Tensor weight = weight;

    /// <summary>One that has no weight of its own, but another's.</summary>
    public Linear(string name, Linear shared, Tensor? bias)
        : this(name, shared.Weight, bias) => Shared = shared;

    public string Name { get; internal set; } = name;

    /// <summary>Whose weight it is; null where it is its own.</summary>
    public Linear? Shared { get; private set; }

    public Tensor Weight => Shared?.Weight ?? weight;

    public Tensor? Bias { get; private set; } = bias;

    /// <summary>What a linear with a shared weight adds to it: its own difference, of low rank (FlexiGPT, arXiv:2501.14713).</summary>
    public LoraAdapter? Delta { get; set; }

    /// <summary>Added to what the weight does; null for none.</summary>
    public LoraAdapter? Adapter { get; set; }

    /// <summary>[in], int64: the channels of the input that the weight's columns stand for; null for all, in order.</summary>
    public Tensor? Reads { get; private set; }

    /// <summary>[out], int64: the channels of the output that the weight's rows stand for; the others are 0. Null for all, in order.</summary>
    public Tensor? Writes { get; private set; }

    /// <summary>Channels of the output where <see cref="Writes"/> names some of them.</summary>
    public long OutputWidth { get; private set; }

    /// <summary>Takes the weight's place, and disposes the old one. A loaded weight is a view of its file: it is replaced, not written to.</summary>
    /// <exception cref="InvalidOperationException">The weight is another linear's.</exception>
    public void SetWeight(Tensor replacement)
    {
        if (Shared is not null)
            throw new InvalidOperationException($"{Name} has the weight of {Shared.Name}, which changing it would change too");
        weight.Dispose();
        weight = replacement.DetachFromDisposeScope();
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

    /// <summary>Those that are its own.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters()
    {
        if (Shared is null)
            yield return ($"{Name}.weight", Weight);
        if (Bias is not null)
            yield return ($"{Name}.bias", Bias);
        if (Delta is null)
            yield break;
        yield return ($"{Name}.{DeltaA}", Delta.A);
        yield return ($"{Name}.{DeltaB}", Delta.B);
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
        if (Delta is not null)
            y = y + nn.functional.linear(nn.functional.linear(x, Delta.A), Delta.B) * Delta.Scale;
        if (Writes is not null)
            y = zeros([.. y.shape[..^1], OutputWidth], dtype: y.dtype, device: y.device).index_copy(-1, Writes, y);
        return hook?.After(this, y) ?? y;
    }

    public void Dispose()
    {
        if (Shared is null)
            weight.Dispose();
        Bias?.Dispose();
        Adapter?.Dispose();
        Delta?.Dispose();
        Reads?.Dispose();
        Writes?.Dispose();
    }
}
