using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>What sums up the inputs of a linear [B, T, in].</summary>
public interface IInputSum : IDisposable
{
    void Add(Tensor input);

    /// <summary>The larger part of the work, on any thread, beside others; the sum itself stays as it is.</summary>
    InputPart Measure(Tensor input);
}

/// <summary>What is to be added to a sum.</summary>
/// <param name="add">Adds it; never two at once, and always in the same order, or the bits would depend on chance.</param>
/// <param name="kept">What that takes.</param>
public sealed class InputPart(Action add, IEnumerable<Tensor> kept) : IDisposable
{
    private readonly Tensor[] kept = [.. kept.Select(tensor => tensor.DetachFromDisposeScope())];

    public void Add() => add();

    public void Dispose()
    {
        foreach (var tensor in kept)
            tensor.Dispose();
    }
}

/// <summary>Sums up what it is shown; or of sequences that run beside each other, each in a part of its own.</summary>
public abstract class SumHook : LinearHook, IDisposable
{
    /// <summary>A sequence's part, to be shown it on any thread.</summary>
    public abstract SumPart Begin();

    public abstract void Dispose();
}

/// <summary>What a sequence adds.</summary>
public abstract class SumPart : LinearHook, IDisposable
{
    /// <summary>Adds it: one sequence after another, in their order.</summary>
    public abstract void Add();

    public abstract void Dispose();
}
