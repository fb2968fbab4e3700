using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// A block on the CPU: once the mask is known a row needs no other, so every core takes rows, which stay in its cache for all
/// columns of the block.
/// </summary>
internal sealed class SparseGptRows(SparsityPattern? pattern) : ISparseGptBlock
{
    private const int RowsAtOnce = 32;

    public void Prune(Tensor work, long first, Tensor own, Tensor? mask, Tensor errors)
    {
        var (rows, columns) = (work.shape[0], work.shape[1]);
        var factor = new BlockFactor(own);
        // As many threads as LibTorch may use here.
        var threads = new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() };
        Parallel.For(0, (rows + RowsAtOnce - 1) / RowsAtOnce, threads, part =>
        {
            var start = part * RowsAtOnce;
            var count = Math.Min(RowsAtOnce, rows - start);
            using var ownWork = work.narrow(0, start, count);
            using var ownErrors = errors.narrow(0, start, count);
            using var ownMask = mask?.narrow(0, start, count);
            var weights = MemoryMarshal.Cast<byte, float>(ownWork.bytes);
            var moved = MemoryMarshal.Cast<byte, float>(ownErrors.bytes);
            Span<bool> given = ownMask is null ? default : MemoryMarshal.Cast<byte, bool>(ownMask.bytes);
            var row = new Vector<float>[factor.Vectors];
            var chosen = new bool[factor.Count];
            for (var i = 0; i < count; i++)
            {
                if (!given.IsEmpty)
                    given.Slice(i * factor.Count, factor.Count).CopyTo(chosen);
                var slice = weights.Slice((int)(i * columns + first), factor.Count);
                var error = moved.Slice(i * factor.Count, factor.Count);
                Prune(slice, MemoryMarshal.Cast<Vector<float>, float>(row.AsSpan()), row, factor, chosen, error);
            }
        });
    }

    /// <param name="weights">[B], in and out.</param>
    /// <param name="values">Room for the row, filled up to whole vectors.</param>
    /// <param name="vectors">The same room.</param>
    // Fast from its first call: a small model is done before the JIT would come back to it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Prune(
        Span<float> weights, Span<float> values, Span<Vector<float>> vectors, BlockFactor factor, Span<bool> mask,
        Span<float> errors)
    {
        weights.CopyTo(values);
        for (var column = 0; column < mask.Length; column++)
        {
            if (pattern is not null && column % pattern.M == 0)
            {
                var diagonal = factor.Diagonal.AsSpan(column, pattern.M);
                Choose(values.Slice(column, pattern.M), diagonal, mask.Slice(column, pattern.M), pattern);
            }

            if (!mask[column])
            {
                errors[column] = 0;
                continue;
            }

            var error = values[column] / factor.Diagonal[column];
            errors[column] = error;
            // From the vector that the column is in: the factor is zero before the column.
            var from = column / Vector<float>.Count;
            var spread = new Vector<float>(-error);
            var effect = factor.Row(column)[from..];
            var target = vectors[from..];
            for (var i = 0; i < effect.Length && i < target.Length; i++)
                target[i] = Vector.FusedMultiplyAdd(spread, effect[i], target[i]);
            values[column] = 0;
        }

        values[..weights.Length].CopyTo(weights);
    }

    /// <summary>The M − N smallest of a group, of equals the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Choose(ReadOnlySpan<float> weights, ReadOnlySpan<float> diagonal, Span<bool> mask, SparsityPattern pattern)
    {
        Span<float> scores = stackalloc float[weights.Length];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = weights[i] * weights[i] / (diagonal[i] * diagonal[i]);
        mask.Clear();
        for (var removed = 0; removed < pattern.M - pattern.N; removed++)
        {
            var smallest = -1;
            for (var i = 0; i < scores.Length; i++)
            {
                if (!mask[i] && (smallest < 0 || scores[i] < scores[smallest]))
                    smallest = i;
            }

            mask[smallest] = true;
        }
    }

    /// <summary>A block of U on the diagonal, its rows filled up with zeros to whole vectors.</summary>
    private sealed class BlockFactor
    {
        private readonly Vector<float>[] rows;

        public BlockFactor(Tensor own)
        {
            Count = (int)own.shape[0];
            Vectors = (Count + Vector<float>.Count - 1) / Vector<float>.Count;
            Diagonal = own.diagonal().contiguous().data<float>().ToArray();
            rows = new Vector<float>[Count * Vectors];
            var plain = own.contiguous().data<float>().ToArray();
            for (var i = 0; i < Count; i++)
                plain.AsSpan(i * Count, Count).CopyTo(Values(i));
        }

        public int Count { get; }

        public int Vectors { get; }

        public float[] Diagonal { get; }

        private Span<float> Values(int index) => MemoryMarshal.Cast<Vector<float>, float>(rows.AsSpan(index * Vectors, Vectors));

        public ReadOnlySpan<Vector<float>> Row(int index) => rows.AsSpan(index * Vectors, Vectors);
    }
}
