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
        var sum = Of(linear, input, last);
        if (sum != last?.Sum)
            sum.Add(input);
        last = (input, sum);
        return input;
    }

    public override SumPart Begin() => new Part(this);

    public override void Dispose()
    {
        foreach (var sum in sums.Values.Distinct())
            sum.Dispose();
    }

    /// <summary>The sum of a linear: the last one's, where it reads the same tensor.</summary>
    private T Of(Linear linear, Tensor input, (Tensor Input, T Sum)? before)
    {
        lock (gate)
        {
            var same = before is { } last && ReferenceEquals(last.Input, input);
            if (!sums.TryGetValue(linear.Name, out var sum))
                sums[linear.Name] = sum = same ? before!.Value.Sum : create();
            return same ? before!.Value.Sum : sum;
        }
    }

    private sealed class Part(SharedInputs<T> whole) : SumPart
    {
        private readonly List<InputPart> parts = [];
        private (Tensor Input, T Sum)? last;

        public override Tensor Before(Linear linear, Tensor input)
        {
            var sum = whole.Of(linear, input, last);
            if (sum != last?.Sum)
                parts.Add(sum.Measure(input));
            last = (input, sum);
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
