using static TorchSharp.torch;

namespace Pipelines.Activities.Unlearning;

/// <summary>
/// The inverse of a Fisher information that is known by gradients, <c>F = λ I + (1/m) Gᵀ G</c>, times a vector. By Woodbury's
/// identity only an m×m matrix is inverted: <c>F⁻¹ v = (v − Gᵀ (m λ I + G Gᵀ)⁻¹ G v) / λ</c>. The same as the rank-one updates of
/// WoodFisher (Singh and Alistarh, arXiv:2004.14340) after the m-th, without their d×d matrix.
/// </summary>
public static class InverseFisher
{
    // Columns that are brought to double precision together.
    private const long Together = 1 << 16;

    /// <param name="gradients">G, [m, d], float32: of one image each.</param>
    /// <param name="vector">v, [d], float64.</param>
    /// <param name="damping">λ, above 0.</param>
    /// <returns>[d], float64.</returns>
    public static Tensor Times(Tensor gradients, Tensor vector, double damping)
    {
        using var scope = NewDisposeScope();
        var (count, width) = (gradients.shape[0], gradients.shape[1]);
        var system = eye(count, dtype: ScalarType.Float64, device: gradients.device) * (count * damping);
        var right = zeros(count, 1, dtype: ScalarType.Float64, device: gradients.device);
        for (long start = 0; start < width; start += Together)
        {
            using var inner = NewDisposeScope();
            var part = Part(start);
            system.add_(part.matmul(part.t()));
            right.add_(part.matmul(Slice(vector, start).unsqueeze(1)));
        }

        var solved = right.cholesky_solve(linalg.cholesky(system));
        var result = vector.clone();
        for (long start = 0; start < width; start += Together)
        {
            using var inner = NewDisposeScope();
            Slice(result, start).sub_(Part(start).t().matmul(solved).squeeze(1));
        }

        return result.div_(damping).MoveToOuterDisposeScope();

        Tensor Part(long start) => gradients.narrow(1, start, Math.Min(Together, width - start)).to(ScalarType.Float64);

        Tensor Slice(Tensor whole, long start) => whole.narrow(0, start, Math.Min(Together, width - start));
    }
}
