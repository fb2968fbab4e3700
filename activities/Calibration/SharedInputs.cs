using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>What sums up the inputs of a linear [B, T, in].</summary>
public interface IInputSum : IDisposable
{
    void Add(Tensor input);
}

/// <summary>A sum over what every linear of a block reads. Linears that read the same tensor share one.</summary>
public sealed class SharedInputs<T>(Func<T> create) : LinearHook, IDisposable
    where T : class, IInputSum
{
    private readonly Dictionary<string, T> sums = [];
    private (Tensor Input, T Sum)? last;

    public T this[string linear] => sums[linear];

    /// <summary>Linears by what they read, in order of computation: those of a group have one sum.</summary>
    public IEnumerable<IGrouping<T, string>> Groups => sums.GroupBy(one => one.Value, one => one.Key);

    public override Tensor Before(Linear linear, Tensor input)
    {
        if (last is { } before && ReferenceEquals(before.Input, input))
        {
            sums.TryAdd(linear.Name, before.Sum);
            return input;
        }

        if (!sums.TryGetValue(linear.Name, out var sum))
            sums[linear.Name] = sum = create();
        sum.Add(input);
        last = (input, sum);
        return input;
    }

    public void Dispose()
    {
        foreach (var sum in sums.Values.Distinct())
            sum.Dispose();
    }
}
