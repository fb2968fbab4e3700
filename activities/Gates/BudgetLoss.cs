using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>What a learned size costs while it is off its target.</summary>
public static class BudgetLoss
{
    /// <summary>
    /// <c>λ |ln((size/full + ε) / (kept + ε))|</c>: relative, so that it pulls as hard at 10 % as at 90 % (DISP-LLM; ToMoE
    /// with ε = 0.001).
    /// </summary>
    /// <param name="size">A scalar with gradient, in any unit.</param>
    /// <param name="full">The size with every gate open, in the same unit.</param>
    /// <param name="kept">The share to keep, in (0, 1].</param>
    /// <param name="weight">λ.</param>
    /// <param name="smoothing">ε; without it a size of zero costs infinitely much, and its gradient is no number.</param>
    /// <returns>A scalar.</returns>
    public static Tensor LogRatio(Tensor size, double full, double kept, double weight, double smoothing = 0)
    {
        using var scope = NewDisposeScope();
        return (((size / full + smoothing) / (kept + smoothing)).log().abs() * weight).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// One-sided (ISP, ECCV 2022): <c>λ ln(max(r, p) / p)</c> of the share r and the target p; nothing, and no gradient, below it.
    /// </summary>
    /// <param name="size">A scalar with gradient, in any unit.</param>
    /// <param name="full">The size with every gate open, in the same unit.</param>
    /// <param name="kept">p.</param>
    /// <param name="weight">λ.</param>
    /// <returns>A scalar.</returns>
    public static Tensor Above(Tensor size, double full, double kept, double weight)
    {
        using var scope = NewDisposeScope();
        return (((size / full).clamp_min(kept) / kept).log() * weight).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// ATO's (arXiv:2403.14729, its published code): the logarithm of how far the share r is off the target p, either way;
    /// within a band about p it is what it is at the band's edge and has no gradient, so that gates come to rest there.
    /// <c>λ ln(max(r, p + δ) / p)</c> for r > p, else <c>λ ln(p / min(r, p − δ))</c>.
    /// </summary>
    /// <param name="size">A scalar with gradient, in any unit.</param>
    /// <param name="full">The size with every gate open, in the same unit.</param>
    /// <param name="kept">p, the share to keep.</param>
    /// <param name="weight">λ.</param>
    /// <param name="band">δ, less than p.</param>
    /// <returns>A scalar.</returns>
    public static Tensor Banded(Tensor size, double full, double kept, double weight, double band = 0.005)
    {
        if (kept <= band)
            throw new ArgumentOutOfRangeException(nameof(kept), kept, $"expected a share above {band}");
        using var scope = NewDisposeScope();
        var share = size / full;
        var off = share.ToDouble() > kept
            ? (share.clamp_min(kept + band) / kept).log()
            : (kept / share.clamp_max(kept - band)).log();
        return (off * weight).MoveToOuterDisposeScope();
    }
}
