using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>A policy's actions between 0 and 1: <c>a = (tanh u + 1) / 2</c> with u normal (SAC, Haarnoja et al., arXiv:1801.01290).</summary>
public static class SquashedGaussian
{
    private const double Lowest = -20;
    private const double Highest = 2;

    /// <param name="mean">Of u.</param>
    /// <param name="deviation">The logarithm of u's standard deviation; cut to [−20, 2].</param>
    /// <param name="noise">Standard normal, of the same shape.</param>
    /// <returns>Actions, and the logarithm of their density, with gradients to mean and deviation.</returns>
    public static (Tensor Action, Tensor LogDensity) At(Tensor mean, Tensor deviation, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var log = deviation.clamp(Lowest, Highest);
        var u = mean + log.exp() * noise;
        var normal = noise.square() * -0.5 - log - 0.5 * Math.Log(2 * Math.PI);

        // ln da/du = ln((1 − tanh² u) / 2), written so that it is exact where tanh rounds to 1.
        var slope = (Math.Log(2) - u - nn.functional.softplus(u * -2)) * 2 - Math.Log(2);
        return (((u.tanh() + 1) / 2).MoveToOuterDisposeScope(), (normal - slope).MoveToOuterDisposeScope());
    }
}
