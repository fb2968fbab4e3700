using Pipelines.Activities.Gates;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>
/// Where a classifier looks, as three numbers of each image (ISP, Ganjdanesh et al., ECCV 2022): a mask that is 1 at a centre
/// and falls off as a Gaussian, <c>exp(−((x − c_x)² + (y − c_y)²) / (2 σ²))</c>.
/// </summary>
/// <remarks>
/// The numbers are in units of a 32nd of the image's width, so that the paper's of 32 × 32 pixels hold at any size; the
/// published code has others for 224 × 224, by which centres come nearer to the border and σ is a third wider.
/// </remarks>
public static class RadialMask
{
    /// <summary>Units across an image.</summary>
    public const double Across = 32;

    /// <summary>How far from the middle a centre can be.</summary>
    public const double Reach = 14;

    private const double Middle = Across / 2;
    private const double LeastWidth = 1e-8;

    /// <summary>
    /// From what a selector gives to a place in the image: <c>c = 14 tanh(m / 14) + 16</c>, <c>σ = softplus(m) + 1e-8</c>.
    /// </summary>
    /// <param name="parameters">m_x, m_y, m_σ: [N, 3].</param>
    /// <returns>c_x, c_y and σ in units: [N, 3].</returns>
    public static Tensor Places(Tensor parameters)
    {
        using var scope = NewDisposeScope();
        var centres = (parameters.narrow(1, 0, 2) / Reach).tanh() * Reach + Middle;
        var widths = parameters.narrow(1, 2, 1).softplus() + LeastWidth;
        return cat([centres, widths], 1).MoveToOuterDisposeScope();
    }

    /// <param name="places">c_x (to the right), c_y (down) and σ in units: [N, 3].</param>
    /// <param name="size">Height and width of the image in pixels; a pixel's place is its index.</param>
    /// <returns>[N, 1, size, size].</returns>
    public static Tensor Of(Tensor places, long size)
    {
        using var scope = NewDisposeScope();
        var at = arange(size, dtype: ScalarType.Float32, device: places.device) * (Across / size);
        var right = (at.view(1, 1, 1, -1) - Part(0)).square();
        var down = (at.view(1, 1, -1, 1) - Part(1)).square();
        return ((right + down) / (Part(2).square() * -2)).exp().MoveToOuterDisposeScope();

        Tensor Part(int index) => places.select(1, index).view(-1, 1, 1, 1);
    }

    /// <summary>Places by chance: centres anywhere within reach, widths between two bounds.</summary>
    /// <returns>[count, 3], in units.</returns>
    public static Tensor Random(long count, double narrowest, double widest, Generator generator, Device device)
    {
        using var scope = NewDisposeScope();
        using var like = empty(count, 3);
        var uniform = GateNoise.Uniform(like, generator);
        var centres = uniform.narrow(1, 0, 2) * (2 * Reach) + (Middle - Reach);
        var widths = uniform.narrow(1, 2, 1) * (widest - narrowest) + narrowest;
        return cat([centres, widths], 1).to(device).MoveToOuterDisposeScope();
    }
}
