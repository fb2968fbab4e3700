using Pipelines.Torch;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// ggml's Q8_0: of 32 values in a row, the scale d = max|x| / 127 as F16, then round(x / d) as signed bytes, halves away
/// from zero. A value moves by at most d/2 and what the rounding of d to F16 adds.
/// </summary>
public static class Q8
{
    private const int Size = 32;
    private const int Bytes = 34;
    private const int Largest = 127;

    // Blocks that one thread does at a time.
    private const int Share = 4096;

    /// <param name="values">float32 on the CPU, contiguous; rows of a multiple of 32 values.</param>
    /// <returns>uint8 [values / 32 * 34].</returns>
    public static unsafe Tensor Encode(Tensor values)
    {
        var blocks = values.numel() / Size;
        var encoded = empty([blocks * Bytes], dtype: ScalarType.Byte);
        var (from, to) = (values.DataPointer(), encoded.DataPointer());
        ForEachBlock(blocks, block => EncodeBlock((float*)from + block * Size, (byte*)to + block * Bytes));
        GC.KeepAlive(values);
        return encoded;
    }

    /// <param name="encoded">uint8 [blocks * 34], on the CPU, contiguous.</param>
    /// <returns>float32.</returns>
    public static unsafe Tensor Decode(Tensor encoded, long[] shape)
    {
        var values = empty(shape, dtype: ScalarType.Float32);
        var (from, to) = (encoded.DataPointer(), values.DataPointer());
        ForEachBlock(encoded.numel() / Bytes, block => DecodeBlock((byte*)from + block * Bytes, (float*)to + block * Size));
        GC.KeepAlive(encoded);
        return values;
    }

    /// <summary>How far a value may move, given its block's largest magnitude.</summary>
    /// <param name="largest">[blocks], float64.</param>
    public static Tensor Bounds(Tensor largest)
    {
        using var scope = NewDisposeScope();
        var scale = largest / Largest;

        // F16 rounds to 11 significant bits, or to multiples of 2⁻²⁴ where it is subnormal; float32 adds a little.
        var rounding = (scale * Math.Pow(2, -11)).clamp_min(Math.Pow(2, -25));
        return (scale / 2 + rounding * Largest + largest * 1e-6).MoveToOuterDisposeScope();
    }

    private static void ForEachBlock(long blocks, Action<long> work) =>
        Parallel.For(0, (blocks + Share - 1) / Share, share =>
        {
            for (var block = share * Share; block < Math.Min(blocks, (share + 1) * Share); block++)
                work(block);
        });

    private static unsafe void EncodeBlock(float* values, byte* encoded)
    {
        var largest = 0f;
        for (var i = 0; i < Size; i++)
            largest = Math.Max(largest, Math.Abs(values[i]));
        var scale = largest / Largest;

        // Of values so small that the inverse overflows the scale is zero in F16 anyway.
        var inverse = float.IsFinite(1 / scale) ? 1 / scale : 0;
        *(Half*)encoded = (Half)scale;
        for (var i = 0; i < Size; i++)
            ((sbyte*)encoded)[2 + i] = (sbyte)MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero);
    }

    private static unsafe void DecodeBlock(byte* encoded, float* values)
    {
        var scale = (float)*(Half*)encoded;
        for (var i = 0; i < Size; i++)
            values[i] = ((sbyte*)encoded)[2 + i] * scale;
    }
}
