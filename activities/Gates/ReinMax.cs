using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// ReinMax (Liu et al., arXiv:2304.08612, algorithm 2): a sample D of softmax(θ) whose gradient is right to second order,
/// by Heun's method, where straight-through is right to first. For a loss that is quadratic in D its expectation is exact.
/// </summary>
/// <param name="Temperature">τ; 1 gives the order stated, more gives less variance.</param>
public sealed record ReinMax(double Temperature = 1)
{
    /// <summary>The drawn one-hot, to the bit, with ReinMax's gradient to the logits.</summary>
    /// <param name="logits">θ, [..., n].</param>
    /// <param name="drawn">D, one-hot, drawn from softmax(θ).</param>
    public Tensor Estimate(Tensor logits, Tensor drawn)
    {
        using var scope = NewDisposeScope();
        var first = logits.softmax(-1);
        var mean = (drawn + (logits / Temperature).softmax(-1)) / 2;
        // Softmax at `mean` instead of at θ: the same value as `mean`, differentiable in θ.
        var second = ((mean.log() - logits).detach() + logits).softmax(-1);
        return StraightThrough.Join(drawn, 2 * second - 0.5 * first).MoveToOuterDisposeScope();
    }

    /// <param name="logits">[..., n].</param>
    /// <param name="uniform">In (0, 1), of the same shape; the largest of logit + Gumbel is a draw of the softmax.</param>
    public Tensor At(Tensor logits, Tensor uniform)
    {
        using var scope = NewDisposeScope();
        return Estimate(logits, GumbelSoftmax.OneHot(logits + GateNoise.Gumbel(uniform))).MoveToOuterDisposeScope();
    }

    public Tensor Sample(Tensor logits, Generator generator)
    {
        using var uniform = GateNoise.Uniform(logits, generator);
        return At(logits, uniform);
    }
}
