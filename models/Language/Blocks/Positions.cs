using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// What attention knows of positions 0 to length − 1: the tables of a rotary embedding in Hugging Face's layout, where
/// channel i turns with channel i + rotary_dim/2 (Su et al., arXiv:2104.09864), and what each query may see.
/// </summary>
public sealed class Positions : IDisposable
{
    // [1, T, 1, rotary_dim / 2]; null for a model without a rotary embedding.
    private readonly Tensor? cos;
    private readonly Tensor? sin;
    private readonly long rotaryDim;

    /// <param name="length">Positions 0 to length − 1.</param>
    public Positions(CausalConfig config, long length, ScalarType dtype, Device device)
    {
        Length = length;
        rotaryDim = config.RotaryDim;
        using var scope = NewDisposeScope();
        if (rotaryDim > 0)
        {
            var half = config.RotaryDim / 2;
            var frequencies = Enumerable.Range(0, half)
                .Select(i => Math.Pow(config.RopeTheta, -2.0 * i / config.RotaryDim))
                .Select(frequency => (float)(config.RopeScaling?.Scale(frequency) ?? frequency))
                .ToArray();

            // Angles in float32, as the checkpoints were trained with.
            var wide = dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
            var angles = outer(arange(length, dtype: wide), tensor(frequencies).to(wide));
            cos = angles.cos().to(dtype).to(device).view(1, length, 1, half).DetachFromDisposeScope();
            sin = angles.sin().to(dtype).to(device).view(1, length, 1, half).DetachFromDisposeScope();
        }

        var unseen = full(length, length, double.NegativeInfinity, dtype: dtype, device: device);
        Mask = unseen.triu(1).DetachFromDisposeScope();
        Windowed = config.SlidingWindow is { } window && window < length
            ? (Mask + unseen.tril(-window)).DetachFromDisposeScope()
            : null;
    }

    public long Length { get; }

    /// <summary>[T, T]: 0 where a query sees a key, −∞ above the diagonal.</summary>
    public Tensor Mask { get; }

    /// <summary>Likewise, and −∞ where the key lies a window or more back; null where the window holds the whole length.</summary>
    public Tensor? Windowed { get; }

    /// <summary>Turns queries or keys; in place when no gradient is recorded.</summary>
    /// <param name="x">[B, T, heads, dim].</param>
    /// <param name="pairs">
    /// [KV heads, pairs], int64: which pair of channels of the original head each pair of x is; query heads in a row
    /// share those of their KV head. Channels behind the pairs do not turn. Null where x has all of its channels.
    /// </param>
    /// <param name="start">The position of the first of x.</param>
    public Tensor Turn(Tensor x, Tensor? pairs, long start = 0)
    {
        if (cos is null || sin is null)
            return x;
        var turned = pairs is null ? rotaryDim : 2 * pairs.shape[1];
        var half = turned / 2;
        var (c, s) = x.shape[1] == Length ? (cos, sin) : (cos.narrow(1, start, x.shape[1]), sin.narrow(1, start, x.shape[1]));
        var heads = x;
        if (pairs is not null)
        {
            // Heads of a group beside each other: the tables are broadcast over them, as repeating them costs most of a step.
            heads = x.view(x.shape[0], x.shape[1], pairs.shape[0], -1, x.shape[^1]);
            (c, s) = (Of(c, pairs), Of(s, pairs));
        }

        var (first, second) = (heads.narrow(-1, 0, half), heads.narrow(-1, half, half));
        if (is_grad_enabled() && x.requires_grad)
        {
            Tensor[] parts = [(first * c).addcmul_(second, s, -1), (second * c).addcmul_(first, s, 1)];
            var rest = x.shape[^1] - turned;
            return cat(rest == 0 ? parts : [.. parts, heads.narrow(-1, turned, rest)], -1).view(x.shape);
        }

        using var scope = NewDisposeScope();
        var moved = first * s;
        first.mul_(c).addcmul_(second, s, -1);
        second.mul_(c).add_(moved);
        return x;
    }

    public void Dispose()
    {
        cos?.Dispose();
        sin?.Dispose();
        Mask.Dispose();
        Windowed?.Dispose();
    }

    /// <param name="table">[1, T, 1, rotary_dim / 2].</param>
    /// <returns>[1, T, KV heads, 1, pairs].</returns>
    private static Tensor Of(Tensor table, Tensor pairs) =>
        table.view(table.shape[1], -1).index_select(-1, pairs.view(-1)).view(1, table.shape[1], pairs.shape[0], 1, pairs.shape[1]);
}
