using Pipelines.Activities.Calibration;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>What DSnoT asks of one linear's input [B, T, in], in double precision.</summary>
public sealed class DsnotMoments(DsnotFormula formula) : InputSum
{
    private Tensor? sum;
    private Tensor? square;
    private Tensor? within;
    private long sequences;
    private long tokens;

    /// <summary>[in]: the mean over sequences of Σ_t x.</summary>
    public Tensor TokenSum => Of(sum) / sequences;

    /// <summary>[in]: the mean over sequences of Σ_t x².</summary>
    public Tensor MeanSquare => Of(square) / sequences;

    /// <summary>
    /// [in]. As released, the mean over sequences of the variance within each, which does not see that sequences differ; as the
    /// paper says, the variance over all tokens.
    /// </summary>
    public Tensor Variance
    {
        get
        {
            using var scope = NewDisposeScope();
            var variance = formula == DsnotFormula.Released
                ? Of(within) / sequences
                : Of(square) / tokens - (Of(sum) / tokens).square();
            return variance.clamp_min(0).MoveToOuterDisposeScope();
        }
    }

    public override IEnumerable<InputPart> Measure(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input.to(ScalarType.Float64);
        var (count, length) = (x.shape[0], x.shape[1]);
        Tensor[] parts = [x.sum([0L, 1L]), x.square().sum([0L, 1L]), x.var([1L], unbiased: length > 1).sum([0L])];
        return [new InputPart(Put, parts)];

        void Put()
        {
            Add(ref sum, parts[0]);
            Add(ref square, parts[1]);
            Add(ref within, parts[2]);
            sequences += count;
            tokens += count * length;
        }
    }

    public override void Dispose()
    {
        sum?.Dispose();
        square?.Dispose();
        within?.Dispose();
    }

    private static void Add(ref Tensor? total, Tensor part) =>
        total = total is null ? part.clone().DetachFromDisposeScope() : total.add_(part);

    private static Tensor Of(Tensor? total) => total ?? throw new InvalidOperationException("no inputs were added");
}
