using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// SparseGPT's and GPTQ's Hessians <c>H = (2/n) Σ XᵀX</c> [in, in] of every linear of a block, n the sequences: each product in
/// the model's own precision, their sum in double. Linears that read the same tensor share one.
/// </summary>
public sealed class InputGrams : LinearHook, IDisposable
{
    private readonly Dictionary<string, Gram> grams = [];
    private (Tensor Input, Gram Gram)? last;

    /// <summary>Linears by what they read, in order of computation: those of a group have one Hessian.</summary>
    public IEnumerable<IGrouping<Gram, string>> Groups => grams.GroupBy(one => one.Value, one => one.Key);

    public override Tensor Before(Linear linear, Tensor input)
    {
        if (last is { } before && ReferenceEquals(before.Input, input))
        {
            grams.TryAdd(linear.Name, before.Gram);
            return input;
        }

        if (!grams.TryGetValue(linear.Name, out var gram))
            grams[linear.Name] = gram = new Gram();
        gram.Add(input);
        last = (input, gram);
        return input;
    }

    public void Dispose()
    {
        foreach (var gram in grams.Values.Distinct())
            gram.Dispose();
    }
}

/// <summary>One such sum.</summary>
public sealed class Gram : IDisposable
{
    private Tensor? sum;
    private long sequences;

    /// <returns>[in, in], double.</returns>
    public Tensor Hessian() => (sum ?? throw new InvalidOperationException("no sequence was added")) * (2.0 / sequences);

    /// <param name="input">[B, T, in].</param>
    public void Add(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input.reshape(-1, input.shape[^1]);
        if (x.dtype is ScalarType.Float16 or ScalarType.BFloat16)
            x = x.to(ScalarType.Float32);
        sum ??= zeros([x.shape[1], x.shape[1]], dtype: ScalarType.Float64, device: x.device).DetachFromDisposeScope();
        sum.add_(x.t().matmul(x));
        sequences += input.shape[0];
    }

    public void Dispose() => sum?.Dispose();
}
