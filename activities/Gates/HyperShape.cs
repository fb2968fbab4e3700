using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>What differs between the networks of methods that make gates.</summary>
/// <param name="InputWidth">Of the fixed input of a gate vector.</param>
/// <param name="Hidden">Width of the GRU's state, each way.</param>
/// <param name="Orthogonal">Whether the inputs are at right angles to each other, of length 1, rather than of N(0, 1).</param>
/// <param name="Relu">In place of GELU.</param>
public sealed record HyperShape(long InputWidth, long Hidden, bool Orthogonal, bool Relu)
{
    /// <summary>arXiv:2410.11988.</summary>
    public static HyperShape DispLlm { get; } = new(32, 64, Orthogonal: false, Relu: false);

    /// <summary>arXiv:2403.14729.</summary>
    public static HyperShape Ato { get; } = new(64, 128, Orthogonal: true, Relu: true);

    internal long Features => 2 * Hidden;

    /// <summary>The fixed inputs of so many linears, each of which makes <paramref name="beside"/> vectors.</summary>
    /// <returns>
    /// [linears, beside, <see cref="InputWidth"/>]. Of more than that, not they but the columns are at right angles.
    /// </returns>
    public Tensor Inputs(int linears, int beside, Generator generator)
    {
        using var scope = NewDisposeScope();
        if (!Orthogonal)
            return randn(linears, beside, InputWidth, generator: generator).MoveToOuterDisposeScope();
        var vectors = linears * beside;
        var (more, fewer) = (Math.Max(vectors, InputWidth), Math.Min(vectors, InputWidth));
        var (q, r) = linalg.qr(randn(more, fewer, generator: generator));

        // Which sign a factorisation gives its columns is its own affair; as in PyTorch, R's diagonal is positive.
        q = q * r.diagonal().sign();
        return (vectors < InputWidth ? q.t() : q).contiguous().view(linears, beside, InputWidth).MoveToOuterDisposeScope();
    }
}
