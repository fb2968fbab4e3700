using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>A sum over what every linear of a block reads. Linears that read the same tensor share one.</summary>
public sealed class SharedInputs<T>(Func<T> create) : SumHook
    where T : class, IInputSum
{
    private readonly Dictionary<string, T> sums = [];
    private readonly Lock gate = new();
    private (Tensor Input, T Sum)? last;

    public T this[string linear] => sums[linear];

    /// <summary>Linears by what they read, in order of computation: those of a group have one sum.</summary>
    public IEnumerable<IGrouping<T, string>> Groups => sums.GroupBy(one => one.Value, one => one.Key);

    public override Tensor Before(Linear linear, Tensor input)
    {
        if (Of(linear, input, ref last) is { } sum)
            sum.Add(input);
        return input;
    }

    public override SumPart Begin() => new Part(this);

    public override void Dispose()
    {
        foreach (var sum in sums.Values.Distinct())
            sum.Dispose();
    }

    /// <summary>The sum that an input is to be added to; null where it was: the linear before read the same tensor, and has the same sum.</summary>
    private T? Of(Linear linear, Tensor input, ref (Tensor Input, T Sum)? last)
    {
        lock (gate)
        {
            if (last is { } before && ReferenceEquals(before.Input, input))
            {
                sums.TryAdd(linear.Name, before.Sum);
                return null;
            }

            if (!sums.TryGetValue(linear.Name, out var sum))
                sums[linear.Name] = sum = create();
            last = (input, sum);
            return sum;
        }
    }

    private sealed class Part(SharedInputs<T> whole) : SumPart
    {
        private readonly List<InputPart> parts = [];
        private (Tensor Input, T Sum)? last;

        public override Tensor Before(Linear linear, Tensor input)
        {
            if (whole.Of(linear, input, ref last) is { } sum)
                parts.Add(sum.Measure(input));
            return input;
        }

        public override void Add()
        {
            foreach (var part in parts)
                part.Add();
        }

        public override void Dispose()
        {
            foreach (var part in parts)
                part.Dispose();
        }
    }
}
