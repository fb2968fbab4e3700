using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>The moments of every linear's input in one block. Linears that read the same tensor share them.</summary>
public sealed class BlockMoments(bool spread) : IDisposable
{
    private readonly Dictionary<string, InputMoments> moments = [];
    private Tensor? lastInput;
    private InputMoments? lastMoments;

    public InputMoments this[string linear] => moments[linear];

    public void Add(Linear linear, Tensor input)
    {
        if (ReferenceEquals(input, lastInput))
        {
            moments.TryAdd(linear.Name, lastMoments!);
            return;
        }

        if (!moments.TryGetValue(linear.Name, out var own))
            moments[linear.Name] = own = new InputMoments(spread);
        own.Add(input);
        (lastInput, lastMoments) = (input, own);
    }

    public void Dispose()
    {
        foreach (var own in moments.Values.Distinct())
            own.Dispose();
    }
}
