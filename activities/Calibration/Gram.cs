using Pipelines.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Σ XᵀX [in, in] of a linear's input over all tokens, in double precision.
/// </summary>
/// <param name="exact">Whether each product is in double too, and not only their sum.</param>
public sealed class Gram(bool exact = false) : InputSum
{
    // So many stripes keep four cores busy with uneven ones, and 9/16 of the square is computed.
    private const int Most = 8;
    private const long Narrowest = 64;

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
        foreach (var (first, count) in Stripes(whole.shape[0]))
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

    /// <summary>All stripes beside each other, to the same bits as one after the other.</summary>
    public override void Add(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = Rows(input);
        Count(input.shape[0], x);
        if (x.device_type != DeviceType.CPU)
        {
            sum!.add_(x.t().matmul(x));
            return;
        }

        // A product is as large as its stripe: of a wide MLP's matrix there should be one in all. The longest come first.
        var stripes = Stripes(x.shape[1]);
        Extensions.Beside(stripes.Length, index =>
        {
            using var part = Measure(x, stripes[^(index + 1)]);
            part.Add();
        });
    }

    /// <summary>A stripe each, so that sequences add to different ones at a time and hold the product of one.</summary>
    public override IEnumerable<InputPart> Measure(Tensor input)
    {
        using var x = Rows(input);
        yield return new InputPart(() => Count(input.shape[0], x));
        foreach (var stripe in Stripes(x.shape[1]))
            yield return Measure(x, stripe);
    }

    public override void Dispose() => sum?.Dispose();

    private InputPart Measure(Tensor x, (long First, long Count) stripe)
    {
        using var scope = NewDisposeScope();
        var (left, right) = (x.narrow(1, stripe.First, stripe.Count).t(), x.narrow(1, 0, stripe.First + stripe.Count));
        // In double a product would be as large as its part of the sum.
        if (exact)
            return new InputPart(() => Put(stripe, total => total.addmm_(left, right)), left, right);
        var product = left.matmul(right);
        return new InputPart(() => Put(stripe, total => total.add_(product)), product);
    }

    private void Count(long more, Tensor x)
    {
        sum ??= zeros([x.shape[1], x.shape[1]], dtype: ScalarType.Float64, device: x.device).DetachFromDisposeScope();
        sequences += more;
    }

    private void Put((long First, long Count) stripe, Action<Tensor> add)
    {
        using var scope = NewDisposeScope();
        add(sum!.narrow(0, stripe.First, stripe.Count).narrow(1, 0, stripe.First + stripe.Count));
    }

    private Tensor Rows(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input.reshape(-1, input.shape[^1]);
        if (exact)
            x = x.to(ScalarType.Float64);
        else if (x.dtype is ScalarType.Float16 or ScalarType.BFloat16)
            x = x.to(ScalarType.Float32);
        return x.MoveToOuterDisposeScope();
    }

    // Of a symmetric matrix the lower half will do: stripes of rows, each up to its own diagonal.
    private static (long First, long Count)[] Stripes(long width)
    {
        var rows = Math.Max((width + Most - 1) / Most, Narrowest);
        return [.. Enumerable.Range(0, (int)((width + rows - 1) / rows)).Select(i => (i * rows, Math.Min(rows, width - i * rows)))];
    }
}
