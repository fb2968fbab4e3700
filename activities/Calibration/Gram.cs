using Pipelines.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// SparseGPT's and GPTQ's Hessian <c>H = (2/n) Σ XᵀX</c> [in, in] of a linear's input, n the sequences: each product in the
/// model's own precision, their sum in double.
/// </summary>
public sealed class Gram : IInputSum
{
    // So many stripes keep four cores busy with uneven ones, and 9/16 of the square is computed.
    private const int Stripes = 8;
    private const long Narrowest = 64;

    private Tensor? sum;
    private long sequences;

    /// <summary>Ends the sum: its memory becomes the Hessian's.</summary>
    /// <returns>[in, in], double.</returns>
    public Tensor Hessian()
    {
        var hessian = sum ?? throw new InvalidOperationException("no sequence was added, or the Hessian was taken");
        sum = null;
        using var scope = NewDisposeScope();
        scope.Attach(hessian);
        hessian.mul_(2.0 / sequences);
        if (hessian.device_type == DeviceType.CPU)
        {
            foreach (var (first, count) in Parts(hessian.shape[0]))
                hessian.narrow(0, 0, first).narrow(1, first, count).copy_(hessian.narrow(0, first, count).narrow(1, 0, first).t());
        }

        return hessian.MoveToOuterDisposeScope();
    }

    /// <param name="input">[B, T, in].</param>
    public void Add(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input.reshape(-1, input.shape[^1]);
        if (x.dtype is ScalarType.Float16 or ScalarType.BFloat16)
            x = x.to(ScalarType.Float32);
        var total = sum ??= zeros([x.shape[1], x.shape[1]], dtype: ScalarType.Float64, device: x.device).DetachFromDisposeScope();
        sequences += input.shape[0];
        if (x.device_type != DeviceType.CPU)
        {
            total.add_(x.t().matmul(x));
            return;
        }

        // Of a symmetric matrix the lower half will do: stripes of rows, each up to its own diagonal. The longest come first.
        var parts = Parts(x.shape[1]);
        Extensions.Beside(parts.Length, index =>
        {
            using var stripe = NewDisposeScope();
            var (first, count) = parts[^(index + 1)];
            var product = x.narrow(1, first, count).t().matmul(x.narrow(1, 0, first + count));
            total.narrow(0, first, count).narrow(1, 0, first + count).add_(product);
        });
    }

    public void Dispose() => sum?.Dispose();

    private static (long First, long Count)[] Parts(long width)
    {
        var rows = Math.Max((width + Stripes - 1) / Stripes, Narrowest);
        return [.. Enumerable.Range(0, (int)((width + rows - 1) / rows)).Select(i => (i * rows, Math.Min(rows, width - i * rows)))];
    }
}
