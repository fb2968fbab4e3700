using static TorchSharp.torch;

namespace Pipelines.Activities.Unlearning;

/// <summary>
/// How much noise each parameter bears: little where the retained images depend on it, much where they do not (Golatkar et
/// al., arXiv:1911.04933). The released code has the variance go with 1 / F; by the paper's equation it goes with 1 / √F.
/// </summary>
/// <param name="Strength">α: the variance at a Fisher information of 1.</param>
/// <param name="Power">Of the inverse information: 1 as released, 0.5 by the equation.</param>
/// <param name="Most">What the inverse is cut to: parameters that nothing depends on are not blown to pieces.</param>
public sealed record FisherNoise(double Strength, double Power, double Most)
{
    private const double Least = 1e-8;

    /// <summary><c>α · min((F + 1e-8)^−power, most)</c>.</summary>
    /// <param name="information">The diagonal of the Fisher information, of a tensor's shape, float64.</param>
    public Tensor Variance(Tensor information)
    {
        using var scope = NewDisposeScope();
        return ((information + Least).pow(-Power).clamp(max: Most) * Strength).MoveToOuterDisposeScope();
    }
}
