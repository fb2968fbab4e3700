using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>What a norm does to the last axis of its input.</summary>
public enum NormKind
{
    /// <summary><c>x / √(mean(x²) + ε) · weight</c> (Zhang and Sennrich, arXiv:1910.07467).</summary>
    Rms,

    /// <summary><c>(x − mean(x)) / √(var(x) + ε) · weight + bias</c> (Ba et al., arXiv:1607.06450).</summary>
    Layer,
}

/// <summary>A norm over the last axis.</summary>
/// <param name="name">The checkpoint's name for it: <c>model.layers.0.input_layernorm</c>.</param>
/// <param name="weight">[hidden].</param>
/// <param name="bias">[hidden].</param>
public sealed class Norm(string name, NormKind kind, Tensor weight, Tensor? bias, double epsilon) : IDisposable
{
    public string Name { get; internal set; } = name;

    public NormKind Kind { get; private set; } = kind;

    /// <summary>[hidden].</summary>
    public Tensor Weight { get; private set; } = weight;

    /// <summary>[hidden].</summary>
    public Tensor? Bias { get; private set; } = bias;

    public double Epsilon => epsilon;

    /// <summary>
    /// What an RMS norm divides the sum of squares by; null for the number of channels. A stream that was cut to its
    /// strongest components keeps the scale that it had with all of them.
    /// </summary>
    public long? Divisor { get; set; }

    /// <summary>Takes the weight's place, and disposes the old one.</summary>
    public void SetWeight(Tensor replacement)
    {
        Weight.Dispose();
        Weight = replacement.DetachFromDisposeScope();
    }

    /// <summary>Takes the bias's place, and disposes the old one.</summary>
    public void SetBias(Tensor? replacement)
    {
        Bias?.Dispose();
        Bias = replacement?.DetachFromDisposeScope();
    }

    /// <summary>
    /// An RMS norm without a gain: what a layer norm is whose input has a mean of 0 already, and whose scale and shift are in
    /// the linears that read it.
    /// </summary>
    public void Strip()
    {
        SetWeight(ones_like(Weight));
        SetBias(null);
        Kind = NormKind.Rms;
    }

    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters()
    {
        yield return ($"{Name}.weight", Weight);
        if (Bias is not null)
            yield return ($"{Name}.bias", Bias);
    }

    /// <param name="x">[…, hidden].</param>
    public Tensor Forward(Tensor x) => Kind == NormKind.Rms
        ? Rms(x)
        : nn.functional.layer_norm(x, [x.shape[^1]], Weight, Bias, epsilon);

    public void Dispose()
    {
        Weight.Dispose();
        Bias?.Dispose();
    }

    private Tensor Rms(Tensor x)
    {
        // Half precision has too few digits for a sum of squares.
        var wide = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? x.to(ScalarType.Float32) : x;

        // The norm reads x once and makes no copy of it, as a square would.
        var inverse = linalg.vector_norm(wide, 2, [-1L], keepdim: true)
            .square().div(Divisor ?? x.shape[^1]).add(epsilon).rsqrt();
        var normal = wide * inverse;
        normal = ReferenceEquals(wide, x) ? normal : normal.to(x.dtype);
        return is_grad_enabled() ? normal * Weight : normal.mul_(Weight);
    }
}
