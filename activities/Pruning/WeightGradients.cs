using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// Gradients of the next-token loss at the weights of a model's linears: their mean over sequences, and on wish the mean of
/// their squares, sequence by sequence; in double.
/// </summary>
public sealed class WeightGradients : IDisposable
{
    private readonly Dictionary<Linear, (Tensor Mean, Tensor? MeanSquare)> sums = [];

    /// <summary>[out, in].</summary>
    public Tensor Mean(Linear linear) => sums[linear].Mean;

    /// <summary>[out, in], the diagonal of the empirical Fisher information.</summary>
    public Tensor MeanSquare(Linear linear) =>
        sums[linear].MeanSquare ?? throw new InvalidOperationException("the squares were not asked for");

    /// <summary>One sequence at a time: only one's activations are held.</summary>
    /// <param name="tokens">[sequences, length], int64.</param>
    public static WeightGradients Of(CausalLM model, Tensor tokens, bool squares, StageContext stage, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var gradients = new WeightGradients();
        var (linears, count) = (model.Linears().ToArray(), tokens.shape[0]);
        Tensor[] weights = [.. linears.Select(linear => linear.Weight.requires_grad_())];
        foreach (var linear in linears)
            gradients.sums[linear] = (Zeros(linear.Weight), squares ? Zeros(linear.Weight) : null);
        for (var sequence = 0L; sequence < count; sequence++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var one = NewDisposeScope();
            var loss = model.NextTokenLoss(tokens.narrow(0, sequence, 1));
            var found = autograd.grad([loss], weights);
            foreach (var (linear, gradient) in linears.Zip(found))
            {
                var wide = gradient.to(ScalarType.Float64);
                gradients.sums[linear].Mean.add_(wide, 1.0 / count);
                gradients.sums[linear].MeanSquare?.addcmul_(wide, wide, 1.0 / count);
            }

            stage.Report(sequence + 1, count, "sequence", ("loss", loss.ToDouble()));
        }

        foreach (var weight in weights)
            weight.requires_grad_(false);
        return gradients;

        static Tensor Zeros(Tensor weight) => zeros_like(weight, dtype: ScalarType.Float64).DetachFromDisposeScope();
    }

    public void Dispose()
    {
        foreach (var (mean, square) in sums.Values)
        {
            mean.Dispose();
            square?.Dispose();
        }
    }
}
