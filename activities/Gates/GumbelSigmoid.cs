using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// The gate of DISP-LLM (arXiv:2410.11988) and ToMoE (arXiv:2501.15316): <c>y = σ((logit + G + offset) / T)</c> with one
/// Gumbel variable G, not the difference of two that a Bernoulli would have; open where y rounds to 1, with y's gradient.
/// </summary>
/// <param name="Temperature">T.</param>
/// <param name="Offset">Opens nearly all gates of a fresh network, whose logits are near 0.</param>
public sealed record GumbelSigmoid(double Temperature = 0.4, double Offset = 3.0) : BinaryGate
{
    /// <summary>0 or 1, with the gradient of <see cref="SoftAt"/>.</summary>
    public override Tensor At(Tensor logits, Tensor uniform)
    {
        using var scope = NewDisposeScope();
        var soft = SoftAt(logits, uniform);
        return StraightThrough.Join(soft.round(), soft).MoveToOuterDisposeScope();
    }

    /// <summary>In (0, 1): what DISP-LLM multiplies by in training, while its budget counts rounded gates.</summary>
    public Tensor SoftAt(Tensor logits, Tensor uniform)
    {
        using var scope = NewDisposeScope();
        return ((logits + GateNoise.Gumbel(uniform) + Offset) / Temperature).sigmoid().MoveToOuterDisposeScope();
    }

    public Tensor SampleSoft(Tensor logits, Generator generator)
    {
        using var uniform = GateNoise.Uniform(logits, generator);
        return SoftAt(logits, uniform);
    }

    /// <summary>P(y > ½) = P(G > −(logit + offset)) = 1 − exp(−e^(logit + offset)).</summary>
    public override Tensor Probability(Tensor logits)
    {
        using var scope = NewDisposeScope();
        // From e^20 on the probability is 1; where e^x overflows its gradient would be no number.
        return (logits + Offset).clamp_max(20).exp().neg().expm1().neg().MoveToOuterDisposeScope();
    }
}
