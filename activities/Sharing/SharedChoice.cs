using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Sharing;

/// <summary>
/// Which kept block a removed one can be made of: the one whose weights, with a difference of the given rank, come nearest
/// to its own (FlexiGPT, arXiv:2501.14713, section 3.2).
/// </summary>
public static class SharedChoice
{
    /// <summary><c>argmin_j Σ ‖Ŵ_i − (Ŵ_j + Δ_{i−j})‖_F</c> over the linears of a block; of equals the nearest, then the lower.</summary>
    /// <param name="removed">Index of the block to replace.</param>
    /// <param name="kept">Indices of those that may be used.</param>
    public static int Nearest(CausalLM model, int removed, IReadOnlyList<int> kept, int rank) => kept
        .OrderBy(owner => Distance(model.Blocks[removed], model.Blocks[owner], rank))
        .ThenBy(owner => Math.Abs(owner - removed)).ThenBy(owner => owner)
        .First();

    /// <summary>Σ over the linears of what is left of the difference of the two rank-r approximations beyond its own best rank r.</summary>
    /// <returns>Infinity for blocks of different shapes.</returns>
    public static double Distance(DecoderBlock removed, DecoderBlock owner, int rank)
    {
        var pairs = removed.Linears.Zip(owner.Linears).ToArray();
        if (removed.Linears.Count != owner.Linears.Count || pairs.Any(pair => !pair.First.Weight.shape.SequenceEqual(pair.Second.Weight.shape)))
            return double.PositiveInfinity;
        return pairs.Sum(pair =>
        {
            using var scope = NewDisposeScope();
            var values = linalg.svdvals(Approximation(pair.First.Weight, rank) - Approximation(pair.Second.Weight, rank));
            return values.shape[0] <= rank ? 0 : values.narrow(0, rank, values.shape[0] - rank).norm().ToDouble();
        });
    }

    private static Tensor Approximation(Tensor weight, int rank)
    {
        var (b, a) = SharedBlock.LowRank(weight.to(ScalarType.Float64), rank);
        return b.matmul(a);
    }
}
