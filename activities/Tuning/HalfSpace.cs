using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// The half-space step of DHSPG (OTOv2, Chen et al., arXiv:2303.06862, algorithm 2) on groups, [groups, entries]: those that
/// are to go are pulled to 0 no harder than the objective allows, and set to 0 where a step leads out of the half-space that
/// they point into.
/// </summary>
/// <param name="Least">λ₀: the pull where the objective shortens a group by itself.</param>
/// <param name="Amplification">How many times the least that makes a group shorter is taken, where it does not.</param>
/// <param name="Most">The highest pull, in λ₀.</param>
/// <param name="Epsilon">ε in [0, 1): a group goes once the step's part along it is below ε of it.</param>
public sealed record HalfSpace(double Least, double Amplification, double Most, double Epsilon)
{
    /// <summary>The pull λ of each group.</summary>
    /// <param name="groups">x, before the step.</param>
    /// <param name="directions">d: the optimizer goes to <c>x − η d</c>.</param>
    /// <returns>[groups].</returns>
    public Tensor Pull(Tensor groups, Tensor directions)
    {
        using var scope = NewDisposeScope();
        var along = (groups * directions).sum([1L]);
        var norms = groups.norm(1).clamp_min(1e-12);
        var outward = along.lt(0);

        // Where the objective lengthens the group: from here on the pull shortens it, and up to there the objective falls.
        var from = -along / norms;
        var to = -directions.square().sum([1L]) * norms / where(outward, along, -ones_like(along));
        var pull = (from * Amplification).clamp(Least, Least * Most);
        pull = where(pull.ge(to), (from + to) / 2, pull);
        return where(outward, pull, full_like(pull, Least)).MoveToOuterDisposeScope();
    }

    /// <summary>One step: the optimizer's, the pull, and the projection. What is 0 stays 0.</summary>
    /// <param name="groups">x, before the optimizer's step.</param>
    /// <param name="moved">After it.</param>
    /// <param name="rate">η.</param>
    /// <returns>Where they are before the projection, and which of them it sets to 0, [groups] bool.</returns>
    public (Tensor Moved, Tensor Gone) Step(Tensor groups, Tensor moved, double rate)
    {
        using var scope = NewDisposeScope();
        var pull = Pull(groups, (groups - moved) / rate).unsqueeze(1);
        var pulled = moved - groups / groups.norm(1, keepdim: true).clamp_min(1e-12) * pull * rate;
        var squares = groups.square().sum([1L]);
        var gone = (pulled * groups).sum([1L]).lt(squares * Epsilon).logical_or(squares.eq(0));
        return (pulled.MoveToOuterDisposeScope(), gone.MoveToOuterDisposeScope());
    }
}
