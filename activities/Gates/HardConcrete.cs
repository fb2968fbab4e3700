using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// The hard concrete gate (Louizos et al., arXiv:1712.01312, equations 10-12): a relaxed Bernoulli, stretched to (−0.1, 1.1) and cut to [0, 1], so that both ends have probability. Its logit is log α.
/// </summary>
/// <param name="Temperature">β.</param>
public sealed record HardConcrete(double Temperature = 2.0 / 3) : BinaryGate
{
    private const double Low = -0.1;
    private const double High = 1.1;

    public override Tensor At(Tensor logits, Tensor uniform)
    {
        using var scope = NewDisposeScope();
        var noise = uniform.log() - (1 - uniform).log();
        var relaxed = ((noise + logits) / Temperature).sigmoid();
        return (relaxed * (High - Low) + Low).clamp(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>P(z > 0) = σ(log α − β ln(0.1 / 1.1)).</summary>
    public override Tensor Probability(Tensor logits)
    {
        using var scope = NewDisposeScope();
        return (logits - Temperature * Math.Log(-Low / High)).sigmoid().MoveToOuterDisposeScope();
    }

    /// <summary>A gate that is partly open counts by how likely it is to be so at all.</summary>
    public override Tensor Counted(Tensor logits, Tensor sample) => Probability(logits);
}
