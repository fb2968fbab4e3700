using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>How far a selector says that two networks look at the same places.</summary>
internal static class RadialAgreement
{
    private const long Together = 256;

    /// <param name="dense">m_x, m_y, m_σ of each image: [N, 3].</param>
    /// <param name="pruned">Likewise, of the same images.</param>
    /// <param name="size">Height and width of an image.</param>
    /// <returns>Of their masks; and the root of the mean squared difference of their numbers.</returns>
    public static (MapSimilarity Masks, double Distance) Of(Tensor dense, Tensor pruned, int size, double top)
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var masks = new MapSimilarity(top);
        for (var start = 0L; start < dense.shape[0]; start += Together)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(Together, dense.shape[0] - start);
            masks.Add(Masks(dense.narrow(0, start, count)), Masks(pruned.narrow(0, start, count)));
        }

        return (masks, (dense - pruned).to(ScalarType.Float64).square().mean().sqrt().ToDouble());

        Tensor Masks(Tensor parameters) => RadialMask.Of(RadialMask.Places(parameters), size);
    }
}
