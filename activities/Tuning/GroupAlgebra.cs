using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>What is done to groups as the rows of a matrix, [groups, entries]. Pure functions.</summary>
public static class GroupAlgebra
{
    /// <summary>
    /// The proximal step of the group lasso on closed groups: each is made shorter by a length, and 0 where it is no longer
    /// than that (ATO, arXiv:2403.14729; its code's <c>1e-8</c> under the root).
    /// </summary>
    /// <param name="closed">[groups], bool.</param>
    /// <returns>Of the shape of <paramref name="groups"/>.</returns>
    public static Tensor Shortened(Tensor groups, Tensor closed, double by)
    {
        using var scope = NewDisposeScope();
        var norms = (groups.square().sum([1L], keepdim: true) + 1e-8).sqrt();
        var shortened = groups * ((norms - by).clamp_min(0) / norms);
        return where(closed.unsqueeze(1), shortened, groups).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// By how much a group that must be 0 at the end of a window is multiplied in a step of it, so that it shrinks by the
    /// same length at each (HESSO's schedule): <c>(T − t − 1) / (T − t)</c>; 1 before the window, 0 from its last step on.
    /// </summary>
    /// <param name="step">From 0.</param>
    /// <param name="from">The first step of the window.</param>
    /// <param name="to">The step after its last.</param>
    public static double Shrink(int step, int from, int to) =>
        step >= to - 1 ? 0 : step < from ? 1 : (to - step - 1.0) / (to - step);
}
