using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// The factor that the optimal brain surgeon's column order needs (SparseGPT, GPTQ): U, upper, with UᵀU = H⁻¹. Its
/// row j holds what removing column j does to the columns after it; U_jj² is the inverse Hessian's diagonal once the
/// columns before j are gone.
/// </summary>
/// <param name="Upper">[in, in], float32, zero below the diagonal.</param>
/// <param name="Dead">[in], true for an input that is always zero.</param>
/// <param name="Damping">What was added to the diagonal, over its mean: more than asked for where that did not do.</param>
public sealed record InverseFactor(Tensor Upper, Tensor Dead, double Damping) : IDisposable
{
    // Each is ten times the one before; H ⪰ 0 with rounding needs one or two.
    private const int Attempts = 5;
    private const double LeastRaised = 1e-3;
    private const long Leaf = 128;

    /// <param name="hessian">[in, in], symmetric, any real dtype; stays as it is.</param>
    /// <param name="damping">λ over the mean of the diagonal, after dead inputs got 1.</param>
    /// <param name="name">Of the linear, for messages.</param>
    /// <remarks>
    /// The released code factors H, inverts, and factors again. With J the reversal of order, JHJ = LLᵀ gives
    /// H⁻¹ = (JL⁻¹J)ᵀ(JL⁻¹J), and JL⁻¹J is upper: one factorisation and one triangular inverse, half of the work, which
    /// pays for double precision.
    /// </remarks>
    /// <exception cref="StageException">H is not finite, or has no Cholesky factor however much is added.</exception>
    public static InverseFactor Of(Tensor hessian, double damping, string name) => Take(hessian.alias(), damping, name);

    /// <summary>Likewise; the Hessian is disposed as soon as it is not needed any more.</summary>
    public static InverseFactor Take(Tensor hessian, double damping, string name)
    {
        using var scope = NewDisposeScope();
        Tensor reversed;
        using (var own = NewDisposeScope())
        {
            own.Attach(hessian);
            if (!hessian.isfinite().all().ToBoolean())
                throw new StageException($"{name}: its input's XᵀX is not finite; the model or its activations hold NaN or infinity");
            reversed = hessian.to(ScalarType.Float64).flip(0, 1).MoveToOuterDisposeScope();
        }

        var diagonal = reversed.diagonal();
        var dead = diagonal.eq(0);
        diagonal.masked_fill_(dead, 1);
        var undamped = diagonal.clone();
        var mean = undamped.mean();

        for (var (attempt, share) = (1, damping); ; attempt++, share = Math.Max(share * 10, LeastRaised))
        {
            diagonal.copy_(undamped + mean * share);
            var (factor, info) = linalg.cholesky_ex(reversed);
            if (info.ToInt64() == 0)
            {
                // Each is as large as H: of a wide layer there should not be one more than needed.
                diagonal.Dispose();
                reversed.Dispose();
                Invert(factor);
                var narrow = factor.to(ScalarType.Float32);
                factor.Dispose();
                var upper = narrow.flip(0, 1);
                return new InverseFactor(upper.MoveToOuterDisposeScope(), dead.flip(0).MoveToOuterDisposeScope(), share);
            }

            factor.Dispose();
            if (attempt == Attempts)
            {
                throw new StageException(
                    $"{name}: its input's XᵀX has no Cholesky factor, "
                    + $"not even with {share} times the mean of its diagonal added");
            }
        }
    }

    public void Dispose()
    {
        Upper.Dispose();
        Dead.Dispose();
    }

    /// <summary>
    /// L⁻¹ in L's place, by halves, [[A, 0], [C, D]] to [[A⁻¹, 0], [−D⁻¹CA⁻¹, D⁻¹]]: nearly all of it is products, which is
    /// twice as fast as solving for a whole identity.
    /// </summary>
    private static void Invert(Tensor lower)
    {
        using var scope = NewDisposeScope();
        var size = lower.shape[0];
        if (size <= Leaf)
        {
            var identity = eye(size, dtype: lower.dtype, device: lower.device);
            lower.copy_(linalg.solve_triangular(lower, identity, upper: false));
            return;
        }

        var (half, rest) = (size / 2, size - size / 2);
        var (upperLeft, lowerLeft, lowerRight) = (Part(lower, 0, half, 0, half), Part(lower, half, rest, 0, half), Part(lower, half, rest, half, rest));
        Invert(upperLeft);
        Invert(lowerRight);
        var product = lowerLeft.matmul(upperLeft);
        lowerLeft.copy_(lowerRight.matmul(product).neg_());
    }

    private static Tensor Part(Tensor matrix, long row, long rows, long column, long columns) =>
        matrix.narrow(0, row, rows).narrow(1, column, columns);
}
