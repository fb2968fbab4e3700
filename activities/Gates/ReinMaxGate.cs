using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>A Bernoulli gate with ReinMax's gradient: two classes of logits {θ, 0}, open if the first is drawn.</summary>
/// <param name="Temperature">See <see cref="ReinMax"/>.</param>
public sealed record ReinMaxGate(double Temperature = 1) : BinaryGate
{
    public override Tensor At(Tensor logits, Tensor uniform)
    {
        using var scope = NewDisposeScope();
        var open = uniform.lt(logits.detach().sigmoid()).to(logits.dtype);
        var both = new ReinMax(Temperature).Estimate(
            stack([logits, zeros_like(logits)], -1), stack([open, 1 - open], -1));
        return both.select(-1, 0).MoveToOuterDisposeScope();
    }

    public override Tensor Probability(Tensor logits) => logits.sigmoid();
}
