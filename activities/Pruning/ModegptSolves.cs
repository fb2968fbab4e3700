using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// MoDeGPT's three decompositions (Lin et al., arXiv:2408.09632, section 3), as pure functions in double precision.
/// </summary>
public static class ModegptSolves
{
    /// <summary>
    /// Ridge leverage of each neuron: <c>diag(C (C + λI)⁻¹) = 1 − λ · diag((C + λI)⁻¹)</c>.
    /// </summary>
    /// <param name="gram">C = ΣHᵀH of what the down projection reads, [n, n].</param>
    /// <param name="ridge">λ, as a share of the mean of C's diagonal.</param>
    /// <returns>[n].</returns>
    public static Tensor Leverage(Tensor gram, double ridge)
    {
        using var scope = NewDisposeScope();
        var strength = ridge * MeanDiagonal(gram);
        var inverse = linalg.cholesky(Damped(gram, strength)).cholesky_inverse();
        return (1 - inverse.diagonal() * strength).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Type I, Nyström: the weight on the kept neurons that comes nearest to the whole one on the calibration set,
    /// <c>(W C[:, J] + ε W[:, J]) (C_JJ + εI)⁻¹</c>. The ridge pulls towards the weight as it was, so that keeping all
    /// neurons changes nothing.
    /// </summary>
    /// <param name="down">W, [d, n].</param>
    /// <param name="gram">C, [n, n].</param>
    /// <param name="kept">J, [r], int64.</param>
    /// <param name="ridge">ε, as a share of the mean of C's diagonal.</param>
    /// <returns>[d, r].</returns>
    public static Tensor Nystrom(Tensor down, Tensor gram, Tensor kept, double ridge)
    {
        using var scope = NewDisposeScope();
        var weight = down.to(ScalarType.Float64);
        var strength = ridge * MeanDiagonal(gram);
        var columns = gram.index_select(1, kept);
        var target = weight.matmul(columns) + weight.index_select(1, kept) * strength;
        var factor = linalg.cholesky(Damped(columns.index_select(0, kept), strength));
        return target.t().cholesky_solve(factor).t().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Type II, CR: what each channel of a KV head gives to the scores, <c>Σ_h C_q,h[i, i] · C_k[i, i]</c> over the query
    /// heads that read it; <c>‖C^½[:, i]‖² = C[i, i]</c>, so only the diagonals count.
    /// </summary>
    /// <param name="query">[query heads, dim, dim], ΣYᵀY before the rotary embedding.</param>
    /// <param name="key">[KV heads, dim, dim].</param>
    /// <returns>[KV heads, dim].</returns>
    public static Tensor ChannelScores(Tensor query, Tensor key)
    {
        using var scope = NewDisposeScope();
        var (q, k) = (query.diagonal(0, 1, 2), key.diagonal(0, 1, 2));
        return (q.reshape(k.shape[0], -1, k.shape[1]).sum([1L]) * k).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Type III: value and output of one KV head at rank r, by one SVD for all query heads that read it: the best rank-r
    /// approximation of <c>C^½ W_vᵀ [W_o,1ᵀ … W_o,gᵀ]</c>.
    /// </summary>
    /// <remarks>
    /// <c>C^½ W_vᵀ = U S Vᵀ</c> is not formed: S and V are those of <c>W_v C W_vᵀ</c>, and <c>C^{−½} U = W_vᵀ V S⁻¹</c>.
    /// </remarks>
    /// <param name="value">W_v, [dim, d].</param>
    /// <param name="output">[g, d, dim]: of each query head.</param>
    /// <param name="gram">C = ΣXᵀX of what the value projection reads, [d, d].</param>
    /// <param name="ridge">Added to S², as a share of its mean.</param>
    /// <returns>Value [r, d] and output [g, d, r].</returns>
    public static (Tensor Value, Tensor Output) ValueOutput(Tensor value, Tensor output, Tensor gram, int rank, double ridge)
    {
        using var scope = NewDisposeScope();
        var (v, o) = (value.to(ScalarType.Float64), output.to(ScalarType.Float64));
        var (squares, basis) = linalg.eigh(v.matmul(gram).matmul(v.t()));
        squares = squares.clamp_min(0);
        var spread = (squares + (ridge * squares.mean().ToDouble() + 1e-300)).sqrt();
        var (heads, width, dim) = (o.shape[0], o.shape[1], o.shape[2]);
        var joint = o.permute(2, 0, 1).reshape(dim, heads * width);
        var (left, singular, right) = linalg.svd(spread.view(-1, 1) * basis.t().matmul(joint), fullMatrices: false);

        // Half of the scale on each side keeps both within the range of a narrow type.
        var root = singular.narrow(0, 0, rank).sqrt();
        var turn = left.narrow(1, 0, rank).t().matmul((basis / spread).t());
        var newValue = root.view(-1, 1) * turn.matmul(v);
        var newOutput = (root.view(-1, 1) * right.narrow(0, 0, rank)).view(rank, heads, width).permute(1, 2, 0).contiguous();
        return (newValue.MoveToOuterDisposeScope(), newOutput.MoveToOuterDisposeScope());
    }

    private static double MeanDiagonal(Tensor gram) => gram.diagonal().mean().ToDouble();

    private static Tensor Damped(Tensor matrix, double strength) =>
        matrix + eye(matrix.shape[0], dtype: ScalarType.Float64, device: matrix.device) * strength;
}
