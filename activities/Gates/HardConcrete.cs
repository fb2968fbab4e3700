using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// The hard concrete gate (Louizos et al., arXiv:1712.01312, equations 10-12), as Compresso (arXiv:2310.05015) freezes it:
/// a relaxed Bernoulli, stretched to (−0.1, 1.1) and cut to [0, 1], so that both ends have probability. Its logit is log α.
/// </summary>
/// <param name="Temperature">β.</param>
public sealed record HardConcrete(double Temperature = 2.0 / 3) : BinaryGate
{
    private const double Low = -0.1;
    private const double High = 1.1;
    private const double FrozenSlope = 0.8;

    /// <summary>Beyond these the gate hardly moves any more: Compresso keeps log α within ln 0.01 and ln 100.</summary>
    public static readonly double HighestLogit = Math.Log(100);

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

    /// <summary>As many go as are expected closed, <c>round(n − Σ P(z > 0))</c>, the least likely first.</summary>
    public override int[] Freeze(Tensor logits)
    {
        using var scope = NewDisposeScope();
        var open = KeptIndices.Read(Probability(logits.detach())).Sum();
        var count = (int)logits.numel();
        return Freeze(logits, count - (int)Math.Round(count - open));
    }

    /// <summary>Survivors keep a soft value, σ(0.8 log α / β), to be merged into the weights; the rest are 0.</summary>
    /// <param name="logits">[n].</param>
    /// <param name="kept">Of <see cref="Freeze(Tensor)"/>.</param>
    /// <returns>[n], without gradient.</returns>
    public Tensor FrozenValues(Tensor logits, int[] kept)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var index = tensor(kept.Select(unit => (long)unit).ToArray()).to(logits.device);
        var values = (logits * (FrozenSlope / Temperature)).sigmoid();
        return zeros_like(values).index_copy_(0, index, values.index_select(0, index)).MoveToOuterDisposeScope();
    }

    /// <summary>Brings logits back within their range, in place; to be called after each step of the optimizer.</summary>
    public static void Constrain(Tensor logits)
    {
        using var ungraded = no_grad();
        logits.clamp_(-HighestLogit, HighestLogit);
    }
}
