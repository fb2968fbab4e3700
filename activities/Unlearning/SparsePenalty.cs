using static TorchSharp.torch;

namespace Pipelines.Activities.Unlearning;

/// <summary>
/// The penalty of ℓ1-sparse unlearning, <c>γ_t ‖θ‖₁</c> with <c>γ_t = γ (1 − t/E)</c> over epochs t
/// (Jia et al., arXiv:2304.04934).
/// </summary>
/// <param name="Weight">γ, in the first epoch.</param>
/// <param name="Epochs">Of the training, E where none is free.</param>
/// <param name="Free">Epochs at the end without a penalty; E is what is left without them.</param>
public sealed record SparsePenalty(double Weight, double Epochs, double Free)
{
    /// <summary>Of an epoch counted from 0; the same all through it.</summary>
    public double At(int epoch) => Math.Max(0, Weight * (1 - epoch / Math.Max(Epochs - Free, 1e-9)));

    /// <summary>‖θ‖₁ over all of them.</summary>
    public static Tensor Norm(IEnumerable<Tensor> parameters)
    {
        using var scope = NewDisposeScope();
        return parameters.Select(parameter => parameter.abs().sum()).Aggregate((sum, next) => sum + next).MoveToOuterDisposeScope();
    }
}
