using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>Root mean square normalization: <c>x / √(mean(x²) + ε) · weight</c>, over the last axis.</summary>
public sealed class RmsNorm(string name, Tensor weight, double epsilon) : IDisposable
{
    public string Name => name;

    /// <summary>[hidden].</summary>
    public Tensor Weight { get; private set; } = weight;

    public void SetWeight(Tensor replacement)
    {
        Weight.Dispose();
        Weight = replacement.DetachFromDisposeScope();
    }

    /// <param name="x">[…, hidden].</param>
    public Tensor Forward(Tensor x)
    {
        // Half precision has too few digits for a sum of squares.
        var wide = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? x.to(ScalarType.Float32) : x;

        // The norm reads x once and makes no copy of it, as a square would.
        var inverse = linalg.vector_norm(wide, 2, [-1L], keepdim: true)
            .square().div(x.shape[^1]).add(epsilon).rsqrt();
        var normal = wide * inverse;
        normal = ReferenceEquals(wide, x) ? normal : normal.to(x.dtype);
        return is_grad_enabled() ? normal * Weight : normal.mul_(Weight);
    }

    public void Dispose() => Weight.Dispose();
}
