using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>Keeps what linears read, to show it to another hook later: sequences that run beside each other are summed up in their order.</summary>
internal sealed class InputRecord : LinearHook, IDisposable
{
    private readonly List<(Linear Linear, Tensor Input)> seen = [];
    private Tensor? last;

    public override Tensor Before(Linear linear, Tensor input)
    {
        // The scope that made it ends before it is shown; who reads the same tensor is shown the same one.
        var kept = ReferenceEquals(input, last) ? seen[^1].Input : input.alias().DetachFromDisposeScope();
        seen.Add((linear, kept));
        last = input;
        return input;
    }

    public void ShowTo(LinearHook hook)
    {
        foreach (var (linear, input) in seen)
            hook.Before(linear, input);
    }

    public void Dispose()
    {
        foreach (var (_, input) in seen)
            input.Dispose();
        seen.Clear();
    }
}
