using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// What a frozen gate keeps: ascending indices, at least one. Of equal scores those with the lower index go first, as in
/// pruning by score.
/// </summary>
public static class KeptIndices
{
    /// <summary>The <paramref name="count"/> largest; one if that is less.</summary>
    /// <param name="scores">[n].</param>
    /// <exception cref="ArgumentException">There are none, or some are not numbers.</exception>
    public static int[] Largest(Tensor scores, int count)
    {
        var values = Read(scores);
        return
        [
            .. Enumerable.Range(0, values.Length)
                .OrderByDescending(index => values[index])
                .ThenByDescending(index => index)
                .Take(Math.Max(1, count))
                .Order(),
        ];
    }

    /// <summary>Those above <paramref name="threshold"/>; the largest if none is.</summary>
    /// <param name="scores">[n].</param>
    /// <exception cref="ArgumentException">There are none, or some are not numbers.</exception>
    public static int[] Above(Tensor scores, double threshold) =>
        Largest(scores, Read(scores).Count(value => value > threshold));

    internal static double[] Read(Tensor scores)
    {
        if (scores.dim() != 1 || scores.numel() == 0)
            throw new ArgumentException($"scores of [{string.Join(',', scores.shape)}]: expected one row of at least one");
        using var scope = NewDisposeScope();
        var values = scores.detach().cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray();
        return values.Any(double.IsNaN) ? throw new ArgumentException("scores hold values that are not numbers") : values;
    }
}
