using Pipelines.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Σ XᵀX [in, in] of a linear's input over all tokens, in double precision.
/// </summary>
/// <param name="exact">Whether each product is in double too, and not only their sum.</param>
public sealed class Gram(bool exact = false) : IInputSum
{
    // So many stripes keep four cores busy with uneven ones, and 9/16 of the square is computed.
    private const int Stripes = 8;
    private const long Narrowest = 64;

    // Of the tokens, in inputs: then the products of a sequence are half again as large as it.
    private const long Widest = 3;

    private Tensor? sum;
    private long sequences;

    public long Width => sum?.shape[0] ?? 0;

    /// <returns>[in, in], double; lives as long as this.</returns>
    public Tensor Sum()
    {
        var whole = sum ?? throw new InvalidOperationException("no sequence was added, or the Hessian was taken");
        if (whole.device_type != DeviceType.CPU)
            return whole;
        using var scope = NewDisposeScope();
        foreach (var (first, count) in Parts(whole.shape[0]))
            whole.narrow(0, 0, first).narrow(1, first, count).copy_(whole.narrow(0, first, count).narrow(1, 0, first).t());
        return whole;
    }

    /// <summary>Ends the sum: its memory becomes that of the Hessian of SparseGPT and GPTQ, <c>H = (2/n) Σ XᵀX</c>, n the sequences.</summary>
    /// <returns>[in, in], double.</returns>
    public Tensor Hessian()
    {
        using var scope = NewDisposeScope();
        var hessian = Sum();
        sum = null;
        scope.Attach(hessian);
        return hessian.mul_(2.0 / sequences).MoveToOuterDisposeScope();
    }

    /// <param name="input">[B, T, in].</param>
    public void Add(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = Rows(input);
        var total = Start(x.shape[1], x.device);
        sequences += input.shape[0];
        if (x.device_type != DeviceType.CPU)
        {
            total.add_(x.t().matmul(x));
            return;
        }

        // Each as large as its stripe at most: of a wide MLP's matrix there should be one. The longest come first.
        var parts = Parts(x.shape[1]);
        Extensions.Beside(parts.Length, index =>
        {
            using var stripe = NewDisposeScope();
            var part = parts[^(index + 1)];
            if (exact)
                Stripe(total, part).addmm_(Left(x, part), Right(x, part));
            else
                Stripe(total, part).add_(Left(x, part).matmul(Right(x, part)));
        });
    }

    /// <summary>Products, where they are not much larger than the input is.</summary>
    public InputPart Measure(Tensor input)
    {
        using var scope = NewDisposeScope();
        if (input.shape[^1] > Widest * input.shape[0] * input.shape[1])
        {
            var whole = input.alias();
            return new InputPart(() => Add(whole), [whole]);
        }

        var x = Rows(input);
        var parts = Parts(x.shape[1]);
        var products = parts.Select(part => Left(x, part).matmul(Right(x, part))).ToArray();
        var (count, width) = (input.shape[0], x.shape[1]);
        return new InputPart(Put, products);

        void Put()
        {
            using var own = NewDisposeScope();
            var total = Start(width, products[0].device);
            sequences += count;
            foreach (var (part, product) in parts.Zip(products))
                Stripe(total, part).add_(product);
        }
    }

    public void Dispose() => sum?.Dispose();

    private Tensor Rows(Tensor input)
    {
        var x = input.reshape(-1, input.shape[^1]);
        if (exact)
            return x.to(ScalarType.Float64);
        return x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? x.to(ScalarType.Float32) : x;
    }

    private Tensor Start(long width, Device device) =>
        sum ??= zeros([width, width], dtype: ScalarType.Float64, device: device).DetachFromDisposeScope();

    // Of a symmetric matrix the lower half will do: stripes of rows, each up to its own diagonal.
    private static Tensor Stripe(Tensor total, (long First, long Count) part) =>
        total.narrow(0, part.First, part.Count).narrow(1, 0, part.First + part.Count);

    private static Tensor Left(Tensor x, (long First, long Count) part) => x.narrow(1, part.First, part.Count).t();

    private static Tensor Right(Tensor x, (long First, long Count) part) => x.narrow(1, 0, part.First + part.Count);

    private static (long First, long Count)[] Parts(long width)
    {
        var rows = Math.Max((width + Stripes - 1) / Stripes, Narrowest);
        return [.. Enumerable.Range(0, (int)((width + rows - 1) / rows)).Select(i => (i * rows, Math.Min(rows, width - i * rows)))];
    }
}
