using Pipelines.Models;
using Pipelines.Torch;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>What sums up the inputs of a linear.</summary>
public abstract class InputSum : IDisposable
{
    /// <param name="input">[B, T, in].</param>
    public virtual void Add(Tensor input)
    {
        foreach (var part in Measure(input))
        {
            using (part)
                part.Add();
        }
    }

    /// <summary>The larger part of the work, piece by piece, on any thread, beside others; the sum stays as it is until a piece is added.</summary>
    /// <param name="input">[B, T, in].</param>
    /// <returns>As many pieces for every input.</returns>
    public abstract IEnumerable<InputPart> Measure(Tensor input);

    public abstract void Dispose();
}

/// <summary>What is to be added to a sum.</summary>
/// <param name="add">Adds it. Two pieces of the same number are never added at once, and always in the same order, or the bits would depend on chance.</param>
/// <param name="kept">What that takes.</param>
public sealed class InputPart(Action add, params IEnumerable<Tensor> kept) : IDisposable
{
    private readonly Tensor[] kept = [.. kept.Select(tensor => tensor.DetachFromDisposeScope())];

    public void Add() => add();

    public void Dispose()
    {
        foreach (var tensor in kept)
            tensor.Dispose();
    }
}

/// <summary>Sums up what it is shown; or what sequences that run beside each other are.</summary>
public abstract class SumHook : LinearHook, IDisposable
{
    /// <summary>For a sequence, on any thread: adds what it is shown when it is its turn.</summary>
    public abstract LinearHook Begin(InTurn turn);

    public abstract void Dispose();
}
