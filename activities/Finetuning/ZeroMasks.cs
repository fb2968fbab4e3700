using Pipelines.Activities.Modeling;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// Keeps zeroed weights zero while they are trained: their gradients are zeroed before each update, so that the optimizer's
/// averages stay zero there as well, and neither its step nor its decay moves them.
/// </summary>
internal sealed class ZeroMasks : StepWork, IDisposable
{
    private readonly List<(Tensor Weight, Tensor Keep)> masks = [];

    /// <summary>1 where the weight is not zero, in its dtype; null for a weight without zeros.</summary>
    public static Tensor? Of(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var keep = weight.ne(0);
        return keep.all().ToBoolean() ? null : keep.to(weight.dtype).DetachFromDisposeScope();
    }

    /// <summary>From now on the zeros that it has stay; one without zeros is not held.</summary>
    public void Add(Tensor weight)
    {
        if (Of(weight) is { } keep)
            masks.Add((weight, keep));
    }

    public override void BeforeUpdate(int index)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        foreach (var (weight, keep) in masks)
            weight.grad?.mul_(keep);
    }

    public void Dispose()
    {
        foreach (var (_, keep) in masks)
            keep.Dispose();
    }
}
