using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>Masks of the smallest scores, in exact number. Of equal scores those with the lower index go first.</summary>
public static class SmallestScores
{
    /// <summary>True at the <paramref name="count"/> smallest of each row of <paramref name="scores"/> [rows, columns].</summary>
    /// <remarks>Selects instead of sorting: the k-th smallest decides, and only its equals need their order.</remarks>
    public static Tensor PerRow(Tensor scores, long count)
    {
        if (count <= 0)
            return zeros_like(scores, dtype: ScalarType.Bool);
        using var scope = NewDisposeScope();
        var (threshold, _) = scores.kthvalue(count, dim: -1, keepdim: true);
        var mask = scores.lt(threshold);
        var equal = scores.eq(threshold);
        var missing = count - mask.sum([-1L], keepdim: true);
        mask.logical_or_(equal.logical_and_(equal.cumsum(-1).le(missing)));
        return mask.MoveToOuterDisposeScope();
    }

    /// <summary>True at the <paramref name="count"/> smallest of all of <paramref name="scores"/>, of any shape.</summary>
    public static Tensor Overall(Tensor scores, long count)
    {
        using var mask = PerRow(scores.reshape(1, -1), count);
        return mask.reshape(scores.shape);
    }

    /// <summary>
    /// True where a score does not exceed the one at sorted position <paramref name="position"/>, counted from 0: one
    /// more than <paramref name="position"/> entries, and every equal of the last.
    /// </summary>
    public static Tensor UpTo(Tensor scores, long position)
    {
        using var threshold = Threshold(scores, position);
        return scores.le(threshold);
    }

    /// <summary>The score at sorted position <paramref name="position"/>, counted from 0.</summary>
    public static Tensor Threshold(Tensor scores, long position)
    {
        using var flat = scores.reshape(-1);
        var (value, index) = flat.kthvalue(Math.Min(position, flat.numel() - 1) + 1, dim: 0, keepdim: false);
        index.Dispose();
        return value;
    }
}
