using static TorchSharp.torch;

namespace Pipelines.Activities.Sharing;

/// <summary>
/// The gains γ of a shared block's output norms that bring its halves nearest to what the dense block adds, by least
/// squares over calibration activations: <c>γ_c = Σ n_c t_c / Σ n_c²</c> with n the normalised output and t the target.
/// The paper starts them small and trains; this start needs no training.
/// </summary>
public sealed class OutputGain : IDisposable
{
    private readonly Tensor products;
    private readonly Tensor squares;

    /// <param name="width">Channels of the residual stream.</param>
    public OutputGain(long width)
    {
        using var scope = NewDisposeScope();
        products = zeros([width], dtype: ScalarType.Float64).DetachFromDisposeScope();
        squares = zeros([width], dtype: ScalarType.Float64).DetachFromDisposeScope();
    }

    /// <param name="normal">[…, width]: the output, normalised, before its gain.</param>
    /// <param name="target">[…, width]: what it should be.</param>
    public void Add(Tensor normal, Tensor target)
    {
        using var scope = NewDisposeScope();
        var n = normal.to(ScalarType.Float64).to(CPU).view(-1, normal.shape[^1]);
        products.add_((n * target.to(ScalarType.Float64).to(CPU).view(-1, target.shape[^1])).sum([0L]));
        squares.add_(n.square().sum([0L]));
    }

    /// <returns>[width], double; 0 where a channel never moved.</returns>
    public Tensor Fit() => products / squares.clamp_min(1e-30);

    public void Dispose()
    {
        products.Dispose();
        squares.Dispose();
    }
}
