using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>A linear of a block: <c>y = x Wᵀ + b</c>.</summary>
/// <param name="name">The checkpoint's name for it: <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="weight">[out, in].</param>
/// <param name="bias">[out].</param>
public sealed class Linear(string name, Tensor weight, Tensor? bias) : IDisposable
{
    public string Name => name;

    public Tensor Weight { get; private set; } = weight;

    public Tensor? Bias { get; private set; } = bias;

    /// <summary>Added to what the weight does; null for none.</summary>
    public LoraAdapter? Adapter { get; set; }

    /// <summary>Takes the weight's place, and disposes the old one. A loaded weight is a view of its file: it is replaced, not written to.</summary>
    public void SetWeight(Tensor replacement)
    {
        Weight.Dispose();
        Weight = replacement.DetachFromDisposeScope();
    }

    /// <summary>The share of the weight's entries that are zero.</summary>
    public double Sparsity()
    {
        using var scope = NewDisposeScope();
        return (double)Weight.eq(0).sum().ToInt64() / Weight.numel();
    }

    public void SetBias(Tensor? replacement)
    {
        Bias?.Dispose();
        Bias = replacement?.DetachFromDisposeScope();
    }

    /// <param name="x">[…, in].</param>
    /// <param name="observe">Is shown the input.</param>
    /// <returns>[…, out].</returns>
    public Tensor Forward(Tensor x, Action<Linear, Tensor>? observe)
    {
        observe?.Invoke(this, x);
        return Adapter is null ? nn.functional.linear(x, Weight, Bias) : Adapter.Forward(x, Weight, Bias);
    }

    public void Dispose()
    {
        Weight.Dispose();
        Bias?.Dispose();
        Adapter?.Dispose();
    }
}
