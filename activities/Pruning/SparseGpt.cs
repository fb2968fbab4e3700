using Pipelines.Workflows;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// SparseGPT (Frantar &amp; Alistarh, arXiv:2301.00774): removes weights column by column, and has the columns to the right
/// make up for each, so that ‖XWᵀ − XŴᵀ‖² grows least.
/// </summary>
public static class SparseGpt
{
    /// <summary>Prunes one linear.</summary>
    /// <param name="weight">[out, in], any float dtype; stays as it is.</param>
    /// <param name="hessian">[in, in], (2/n)·XᵀX over n sequences; the factor does not change the result.</param>
    /// <param name="name">Of the linear, for messages.</param>
    /// <exception cref="StageException">H cannot be factored, the pattern does not fit, or a weight is not finite.</exception>
    public static SparseGptResult Prune(Tensor weight, Tensor hessian, SparseGptOptions options, string name)
    {
        using var ungraded = no_grad();
        using var factor = InverseFactor.Of(hessian, options.Damping, name);
        return Prune(weight, factor, options, name);
    }

    /// <summary>The same with a factor at hand: linears that read one input share it.</summary>
    public static SparseGptResult Prune(Tensor weight, InverseFactor factor, SparseGptOptions options, string name)
    {
        var block = options.Width(weight.shape[1], name);
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        // A copy always: it is written over block by block.
        var work = weight.detach().to(ScalarType.Float32, copy: true).contiguous();
        if (!work.isfinite().all().ToBoolean())
            throw new StageException($"{name}: its weights hold NaN or infinity");
        work.masked_fill_(factor.Dead, 0);
        ISparseGptBlock blocks = work.device_type == DeviceType.CPU
            ? new SparseGptRows(options.Pattern)
            : new SparseGptColumns(options.Pattern);
        var error = Sweep(work, factor.Upper, options, block, blocks);
        var pruned = work.to(weight.dtype);
        return new SparseGptResult(pruned.MoveToOuterDisposeScope(), error, factor.Damping);
    }

    internal static double Sweep(
        Tensor work, Tensor upper, SparseGptOptions options, long block, ISparseGptBlock blocks)
    {
        var (rows, columns) = (work.shape[0], work.shape[1]);
        var error = 0.0;
        for (long first = 0; first < columns; first += block)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(block, columns - first);
            var part = work.narrow(1, first, count);
            var own = upper.narrow(0, first, count).narrow(1, first, count);
            var mask = options.Pattern is null
                ? ScoreSelection.Mask(part.square().div_(own.diagonal().square()), options.Sparsity, options.Cut)
                : null;
            var errors = empty([rows, count], dtype: ScalarType.Float32, device: work.device);
            blocks.Prune(work, first, own, mask, errors);

            var later = first + count;
            if (later < columns)
            {
                work.narrow(1, later, columns - later)
                    .addmm_(errors, upper.narrow(0, first, count).narrow(1, later, columns - later), alpha: -1);
            }

            error += errors.square().sum([0L, 1L], type: ScalarType.Float64).ToDouble() / 2;
        }

        return error;
    }
}

/// <param name="Sparsity">Share of the weights to zero, in every block of columns over all rows; without meaning for a pattern.</param>
/// <param name="Pattern">N:M instead: decided group by group, on weights that already made up for the groups before.</param>
/// <param name="BlockSize">Columns whose mask is chosen at once; the columns after them are updated once per block.</param>
/// <param name="Damping">Added to H's diagonal, over its mean.</param>
/// <param name="Cut">Where the cut lies among a block's scores; without meaning for a pattern.</param>
public sealed record SparseGptOptions(
    double Sparsity, SparsityPattern? Pattern = null, int BlockSize = 128, double Damping = 0.01,
    MagnitudeCut Cut = MagnitudeCut.Released)
{
    /// <summary>Columns per block: with a pattern whole groups.</summary>
    /// <exception cref="StageException">The width is no multiple of the pattern's M.</exception>
    internal long Width(long columns, string name)
    {
        if (Pattern is not { } pattern)
            return BlockSize;
        if (columns % pattern.M != 0)
            throw new StageException($"{name} has {columns} inputs, no multiple of {pattern.M}: {pattern.N}:{pattern.M} does not fit it");
        return Math.Max(BlockSize - BlockSize % pattern.M, pattern.M);
    }
}

/// <param name="Weight">[out, in], zero where pruned.</param>
/// <param name="Error">½Σe²: what the layer's output moved by, as the approximation sees it.</param>
/// <param name="Damping">The damping that it took.</param>
public sealed record SparseGptResult(Tensor Weight, double Error, double Damping) : IDisposable
{
    public void Dispose() => Weight.Dispose();
}

/// <summary>The work within a block of columns. One for the CPU, whose cores take rows, one for devices, which take columns.</summary>
internal interface ISparseGptBlock
{
    /// <summary>Zeroes the pruned weights of a block and lets the rest of the block make up for them.</summary>
    /// <param name="work">[out, in], float32, contiguous; only columns <paramref name="first"/> and the next B change.</param>
    /// <param name="own">[B, B], the block of U on the diagonal.</param>
    /// <param name="mask">[out, B], true where a weight goes; null for a pattern.</param>
    /// <param name="errors">[out, B], filled with e = (w − ŵ) / U_jj, zero where a weight stays.</param>
    void Prune(Tensor work, long first, Tensor own, Tensor? mask, Tensor errors);
}
