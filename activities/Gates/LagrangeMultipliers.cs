using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// The augmented Lagrangian of a sparsity to be reached (Wang et al., arXiv:1910.04732; CoFi, Compresso): the penalty
/// <c>λ₁(s − t) + λ₂(s − t)²</c> is descended by the gates and ascended by the multipliers, which are the state that a
/// checkpoint needs.
/// </summary>
/// <param name="Linear">λ₁, of either sign.</param>
/// <param name="Quadratic">λ₂; it only grows.</param>
public readonly record struct LagrangeMultipliers(double Linear, double Quadratic)
{
    /// <param name="sparsity">s, the expected share that is closed; a scalar with gradient.</param>
    /// <param name="target">t of this step.</param>
    public Tensor Penalty(Tensor sparsity, double target)
    {
        using var scope = NewDisposeScope();
        var gap = sparsity - target;
        return (gap * Linear + gap.square() * Quadratic).MoveToOuterDisposeScope();
    }

    /// <summary>One step of gradient ascent: the gradients are the gap and its square.</summary>
    /// <param name="sparsity">s of the step that was just taken.</param>
    public LagrangeMultipliers Ascend(double sparsity, double target, double rate)
    {
        var gap = sparsity - target;
        return new(Linear + rate * gap, Quadratic + rate * gap * gap);
    }
}
