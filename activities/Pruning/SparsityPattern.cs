using System.Globalization;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// N:M sparsity: of every <paramref name="M"/> consecutive inputs of an output row, <paramref name="N"/> stay.
/// Written <c>2:4</c>; <c>none</c> stands for no pattern.
/// </summary>
public sealed record SparsityPattern(int N, int M)
{
    /// <summary>What a parameter may say; checked before anything runs.</summary>
    public const string Expression = @"^(none|[1-9][0-9]?:[1-9][0-9]?)$";

    public const string Expected = "expected N:M, as 2:4, or none";

    /// <returns>Null for <c>none</c>.</returns>
    /// <exception cref="StageException">N is not below M.</exception>
    public static SparsityPattern? Parse(string text)
    {
        if (text == "none")
            return null;
        var numbers = text.Split(':').Select(number => int.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return numbers[0] < numbers[1]
            ? new SparsityPattern(numbers[0], numbers[1])
            : throw new StageException($"pattern {text}: of every {numbers[1]} weights, fewer than {numbers[1]} must stay");
    }

    /// <summary>
    /// True where <paramref name="scores"/> [out, in] is among the M−N smallest of its group; of equal scores the first
    /// goes first.
    /// </summary>
    /// <exception cref="StageException">The width is no multiple of M.</exception>
    public Tensor Mask(Tensor scores, string name)
    {
        var (rows, columns) = (scores.shape[0], scores.shape[1]);
        if (columns % M != 0)
            throw new StageException($"{name} has {columns} inputs, no multiple of {M}: {N}:{M} does not fit it");
        using var scope = NewDisposeScope();
        var (_, order) = scores.view(rows, columns / M, M).sort(dim: -1, stable: true);
        var mask = zeros(rows, columns / M, M, dtype: ScalarType.Bool, device: scores.device);
        var smallest = order.narrow(-1, 0, M - N);
        mask.scatter_(-1, smallest, ones_like(smallest, dtype: ScalarType.Bool));
        return mask.view(rows, columns).MoveToOuterDisposeScope();
    }
}
