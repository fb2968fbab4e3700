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
}
