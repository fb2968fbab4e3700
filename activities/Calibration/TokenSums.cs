using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pipelines.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>Σ_t x and Σ_t x² of a sequence [T, in], in double precision.</summary>
public static class TokenSums
{
    // Of so many tokens a core keeps its sums in its own cache. The division does not follow the number of cores: nor do the bits.
    private const long Together = 128;

    /// <returns>[in] each, double.</returns>
    public static (Tensor Sum, Tensor Square) Of(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (x.device_type != DeviceType.CPU || x.dtype != ScalarType.Float32)
        {
            var wide = x.to(ScalarType.Float64);
            return scope.MoveToOuter(wide.sum([0L]), wide.square().sum([0L]));
        }

        var plain = x.contiguous();
        var (length, width) = (plain.shape[0], (int)plain.shape[1]);
        var sums = new double[(length + Together - 1) / Together][];
        Extensions.Beside(sums.Length, part =>
        {
            using var own = plain.narrow(0, part * Together, Math.Min(Together, length - part * Together));
            sums[part] = new double[2 * width];
            Add(MemoryMarshal.Cast<byte, float>(own.bytes), sums[part].AsSpan(0, width), sums[part].AsSpan(width));
        });
        var all = tensor(sums.SelectMany(one => one).ToArray()).view(sums.Length, 2, width).sum([0L]);
        return scope.MoveToOuter(all[0], all[1]);
    }

    /// <param name="values">Some rows of as many values as there are sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(ReadOnlySpan<float> values, Span<double> sums, Span<double> squares)
    {
        for (var start = 0; start < values.Length; start += sums.Length)
        {
            var row = values.Slice(start, sums.Length);
            var column = 0;
            for (; column <= row.Length - Vector<float>.Count; column += Vector<float>.Count)
            {
                Vector.Widen(new Vector<float>(row[column..]), out var low, out var high);
                Add(low, sums[column..], squares[column..]);
                Add(high, sums[(column + Vector<double>.Count)..], squares[(column + Vector<double>.Count)..]);
            }

            for (; column < row.Length; column++)
            {
                double value = row[column];
                sums[column] += value;
                squares[column] += value * value;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(Vector<double> values, Span<double> sums, Span<double> squares)
    {
        (new Vector<double>(sums) + values).CopyTo(sums);
        Vector.FusedMultiplyAdd(values, values, new Vector<double>(squares)).CopyTo(squares);
    }
}
