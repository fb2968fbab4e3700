using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// Gates between 0 and 1 that learn: noisy while they train, deterministic once frozen. One trained logit each; the larger
/// it is, the likelier the gate is open.
/// </summary>
public abstract record BinaryGate
{
    /// <summary>The gates under given noise, in [0, 1], with gradients to the logits.</summary>
    /// <param name="logits">Of any shape.</param>
    /// <param name="uniform">In (0, 1), of the same shape.</param>
    public abstract Tensor At(Tensor logits, Tensor uniform);

    /// <summary>P(gate > 0), with gradients to the logits.</summary>
    public abstract Tensor Probability(Tensor logits);

    /// <summary>The gates of one training step, under noise drawn from <paramref name="generator"/>.</summary>
    public Tensor Sample(Tensor logits, Generator generator)
    {
        using var uniform = GateNoise.Uniform(logits, generator);
        return At(logits, uniform);
    }

    /// <summary>What a size counts of <paramref name="sample"/>: where gates are 0 or 1, those that are open.</summary>
    /// <param name="logits">What it was drawn of.</param>
    public virtual Tensor Counted(Tensor logits, Tensor sample) => sample;

    /// <summary>What stays, without noise: the gates that are likelier open than closed, at least one.</summary>
    /// <param name="logits">[n].</param>
    /// <returns>Ascending indices.</returns>
    /// <exception cref="ArgumentException">Some logits are not numbers.</exception>
    public int[] Freeze(Tensor logits)
    {
        using var scope = NewDisposeScope();
        return KeptIndices.Above(Probability(logits.detach()), 0.5);
    }

    /// <summary>The <paramref name="count"/> likeliest, where a budget is to be met exactly; at least one.</summary>
    /// <param name="logits">[n]; these are ranked, as probabilities near 1 are equal once rounded.</param>
    public static int[] Freeze(Tensor logits, int count) => KeptIndices.Largest(logits, count);
}
