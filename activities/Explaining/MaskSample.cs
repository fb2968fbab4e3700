using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>Draws pixels by a mask, and what a mask costs.</summary>
public static class MaskSample
{
    // As PyTorch keeps probabilities off 0 and 1, where their logits are infinite.
    private const double Epsilon = 1.1920929e-7;
    private const double Lift = 5e-4;
    private const double Border = 0.3;

    /// <summary>
    /// A relaxed Bernoulli variable (Maddison et al., arXiv:1611.00712): <c>σ((logit p + logit u) / T)</c>, near 0 or 1 where T is
    /// small, with a gradient to p.
    /// </summary>
    /// <param name="probabilities">Of any shape, in [0, 1].</param>
    /// <param name="uniform">In (0, 1), of the same shape.</param>
    public static Tensor Relaxed(Tensor probabilities, Tensor uniform, double temperature)
    {
        using var scope = NewDisposeScope();
        return ((Logit(probabilities) + Logit(uniform)) / temperature).sigmoid().MoveToOuterDisposeScope();
    }

    /// <summary>How much is shown: the mean of <c>(s + 0.0005)^a</c>, which for a below 1 would rather have a few pixels bright.</summary>
    /// <param name="masks">[N, 1, H, W].</param>
    public static Tensor Area(Tensor masks, double power)
    {
        using var scope = NewDisposeScope();
        return (masks + Lift).pow(power).mean().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// How uneven masks are: squared differences of neighbours, and 0.3 of the squares along the four borders (a corner is of
    /// two), summed over a mask, halved; the mean over masks.
    /// </summary>
    /// <param name="masks">[N, 1, H, W].</param>
    public static Tensor Unevenness(Tensor masks)
    {
        using var scope = NewDisposeScope();
        var squares = masks.diff(1, 2).square().sum() + masks.diff(1, 3).square().sum();
        var border = new[] { 2, 3 }.SelectMany(side => new[] { masks.select(side, 0), masks.select(side, masks.shape[side] - 1) })
            .Aggregate(zeros_like(squares), (sum, edge) => sum + edge.square().sum());
        return ((squares + border * Border) / (2 * masks.shape[0])).MoveToOuterDisposeScope();
    }

    private static Tensor Logit(Tensor probabilities)
    {
        using var scope = NewDisposeScope();
        var inside = probabilities.clamp(Epsilon, 1 - Epsilon);
        return (inside.log() - (1 - inside).log()).MoveToOuterDisposeScope();
    }
}
