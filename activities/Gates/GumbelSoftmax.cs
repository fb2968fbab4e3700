using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// One of n, chosen by softmax of the logits with Gumbel noise (Jang et al., arXiv:1611.01144); the choice has the gradient
/// of the softmax. ToMoE's router.
/// </summary>
/// <param name="Temperature">Of the softmax that gives the gradient; what is chosen does not depend on it.</param>
public sealed record GumbelSoftmax(double Temperature = 0.4)
{
    /// <summary>One-hot under given noise.</summary>
    /// <param name="logits">[..., n].</param>
    /// <param name="uniform">In (0, 1), of the same shape.</param>
    public Tensor At(Tensor logits, Tensor uniform)
    {
        using var scope = NewDisposeScope();
        var soft = SoftAt(logits, uniform);
        return StraightThrough.Join(OneHot(soft), soft).MoveToOuterDisposeScope();
    }

    /// <summary>The relaxed choice, which sums to 1.</summary>
    public Tensor SoftAt(Tensor logits, Tensor uniform)
    {
        using var scope = NewDisposeScope();
        return ((logits + GateNoise.Gumbel(uniform)) / Temperature).softmax(-1).MoveToOuterDisposeScope();
    }

    public Tensor Sample(Tensor logits, Generator generator)
    {
        using var uniform = GateNoise.Uniform(logits, generator);
        return At(logits, uniform);
    }

    /// <summary>The likeliest of each row, without noise; of equals the first.</summary>
    /// <param name="logits">[rows, n].</param>
    /// <exception cref="ArgumentException">Some logits are not numbers.</exception>
    public static int[] Freeze(Tensor logits)
    {
        using var scope = NewDisposeScope();
        return [.. logits.detach().unbind(0).Select(row => KeptIndices.Read(row)).Select(row => row.IndexOf(row.Max()))];
    }

    /// <summary>1 at the largest of the last dimension.</summary>
    internal static Tensor OneHot(Tensor scores)
    {
        using var scope = NewDisposeScope();
        return nn.functional.one_hot(scores.detach().argmax(-1), scores.shape[^1]).to(scores.dtype).MoveToOuterDisposeScope();
    }
}
