using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Rotary position embedding in Hugging Face's layout: channel i turns with channel i + head_dim/2. Holds the tables
/// for a length, and the causal mask that goes with it.
/// </summary>
public sealed class Rope : IDisposable
{
    private readonly Tensor cos;
    private readonly Tensor sin;

    /// <param name="length">Positions 0 to length − 1.</param>
    public Rope(LlamaConfig config, long length, ScalarType dtype, Device device)
    {
        Length = length;
        using var scope = NewDisposeScope();
        var half = config.HeadDim / 2;
        var frequencies = Enumerable.Range(0, half)
            .Select(i => Math.Pow(config.RopeTheta, -2.0 * i / config.HeadDim))
            .Select(frequency => (float)(config.RopeScaling?.Scale(frequency) ?? frequency))
            .ToArray();

        // Angles in float32, as the checkpoints were trained with.
        var wide = dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        var angles = outer(arange(length, dtype: wide), tensor(frequencies).to(wide));
        cos = angles.cos().to(dtype).to(device).view(1, length, 1, half).DetachFromDisposeScope();
        sin = angles.sin().to(dtype).to(device).view(1, length, 1, half).DetachFromDisposeScope();
        Mask = full(length, length, double.NegativeInfinity, dtype: dtype, device: device).triu(1).DetachFromDisposeScope();
    }

    public long Length { get; }

    /// <summary>[T, T]: 0 where a query sees a key, −∞ above the diagonal.</summary>
    public Tensor Mask { get; }

    /// <summary>Turns queries or keys [B, T, heads, head_dim]; in place when no gradient is recorded.</summary>
    public Tensor Turn(Tensor x)
    {
        var half = x.shape[^1] / 2;
        var (first, second) = (x.narrow(-1, 0, half), x.narrow(-1, half, half));
        if (is_grad_enabled() && x.requires_grad)
        {
            return cat(
                [(first * cos).addcmul_(second, sin, -1), (second * cos).addcmul_(first, sin, 1)], -1);
        }

        using var scope = NewDisposeScope();
        var moved = first * sin;
        first.mul_(cos).addcmul_(second, sin, -1);
        second.mul_(cos).add_(moved);
        return x;
    }

    public void Dispose()
    {
        cos.Dispose();
        sin.Dispose();
        Mask.Dispose();
    }
}
