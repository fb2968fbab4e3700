using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>Straight-through estimation (Bengio et al., arXiv:1308.3432).</summary>
public static class StraightThrough
{
    /// <summary>The value of <paramref name="hard"/>, to the bit, with the gradient of <paramref name="soft"/>.</summary>
    /// <remarks><c>hard − sg(soft) + soft</c>, the usual way to write it, rounds: a gate of 1 can become 0.99999994.</remarks>
    public static Tensor Join(Tensor hard, Tensor soft)
    {
        using var scope = NewDisposeScope();
        return (hard.detach() + (soft - soft.detach())).MoveToOuterDisposeScope();
    }
}
