using Pipelines.Models;
using Pipelines.Torch;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>A sum over what every linear of a block reads. Linears that read the same tensor share one.</summary>
public sealed class SharedInputs<T>(Func<T> create) : SumHook
    where T : InputSum
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

    public override LinearHook Begin(InTurn turn) => new Part(this, turn);

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

    private sealed class Part(SharedInputs<T> whole, InTurn turn) : LinearHook
    {
        private (Tensor Input, T Sum)? last;

        public override Tensor Before(Linear linear, Tensor input)
        {
            if (whole.Of(linear, input, ref last) is not { } sum)
                return input;
            foreach (var (number, part) in sum.Measure(input).Index())
            {
                using (part)
                    turn((sum, number), part.Add);
            }

            return input;
        }
    }
}
