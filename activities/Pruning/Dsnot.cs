using System.ComponentModel;
using System.Runtime.InteropServices;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// DSnoT (Zhang et al., arXiv:2310.08915): exchanges pruned weights for kept ones, row by row, until what a row lost is near
/// zero on average over the calibration set. No weight changes its value, and no row its count.
/// </summary>
/// <remarks>
/// Weight (i, j) contributes <c>c = W·μ</c>, μ the input's sum over a sequence's tokens. A row's error ε is the sum of c over
/// its pruned weights. Each cycle takes back the pruned weight with the largest <c>c / Var^power</c> of ε's sign, and gives up
/// the kept weight of lowest |W|·‖x‖ whose c has the other sign. Either choice takes a weight once; of equals the first.
/// </remarks>
public static class Dsnot
{
    // An input that never moves makes the best candidate, not infinity.
    private const double LeastVariance = 1e-300;

    /// <summary>Refines a mask.</summary>
    /// <param name="weight">[out, in], dense.</param>
    /// <param name="mask">[out, in], true where a weight is to be zeroed; stays as it is.</param>
    /// <returns>[out, in], true where a weight is to be zeroed.</returns>
    /// <exception cref="StageException">The weights or the statistics are not finite.</exception>
    public static Tensor Refine(Tensor weight, Tensor mask, DsnotMoments moments, DsnotOptions options, string name)
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var inputs = new Inputs(moments, options.Power);
        var dense = weight.detach().to(ScalarType.Float32).cpu().contiguous();
        if (!inputs.Finite || !dense.isfinite().all().ToBoolean())
            throw new StageException($"{name}: its weights or the statistics of its input hold NaN or infinity");
        var (rows, columns) = (dense.shape[0], (int)dense.shape[1]);
        var refined = mask.cpu().clone();
        var threads = new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() };
        Parallel.For(0, rows, threads, row =>
        {
            using var ownWeights = dense.narrow(0, row, 1);
            using var ownMask = refined.narrow(0, row, 1);
            var swaps = new DsnotRow(
                MemoryMarshal.Cast<byte, float>(ownWeights.bytes), MemoryMarshal.Cast<byte, bool>(ownMask.bytes), inputs);
            if (options.Pattern is { } pattern)
                swaps.RunWithin(pattern.M, options);
            else
                swaps.Run(options);
        });
        return refined.to(mask.device).MoveToOuterDisposeScope();
    }

    /// <summary>What the rows share.</summary>
    internal sealed class Inputs
    {
        public Inputs(DsnotMoments moments, double power)
        {
            using var scope = NewDisposeScope();
            Sum = moments.TokenSum.cpu().data<double>().ToArray();
            Norm = moments.MeanSquare.sqrt().cpu().data<double>().ToArray();
            Steadiness = moments.Variance.clamp_min(LeastVariance).pow(-power).cpu().data<double>().ToArray();
        }

        public double[] Sum { get; }

        public double[] Norm { get; }

        /// <summary>Var^−power.</summary>
        public double[] Steadiness { get; }

        public bool Finite => Sum.Concat(Norm).Concat(Steadiness).All(double.IsFinite);
    }
}

/// <param name="Cycles">Exchanges per row, at most.</param>
/// <param name="Threshold">A row is done when |ε| is not above it.</param>
/// <param name="Power">Of the variance, in what to take back.</param>
/// <param name="Pattern">N:M: exchanges stay within a group.</param>
public sealed record DsnotOptions(
    int Cycles = 50, double Threshold = 0.1, double Power = 1, SparsityPattern? Pattern = null,
    DsnotFormula Formula = DsnotFormula.Released);

/// <summary>Where the released code of DSnoT departs from its formulas.</summary>
/// <remarks>
/// Released: where no kept weight has the sign that is needed, the one of the other sign that scores highest goes; the variance is
/// the mean of each sequence's; with N:M an exchange may not turn the error's sign. Paper: a row without a weight of that sign
/// is done; the variance is that of all tokens; with N:M an exchange must lessen the error, which is our reading.
/// </remarks>
public enum DsnotFormula
{
    [Description("As released: goes on without a weight of the sign that is needed; variance within sequences")]
    Released,

    [Description("By the formulas: a row without such a weight is done; variance over all tokens")]
    Paper,
}
