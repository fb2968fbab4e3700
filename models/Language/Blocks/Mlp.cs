using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>The MLP of a block: <c>down(act(gate x) ⊙ up x)</c>, or <c>down(act(up x))</c> where there is no gate.</summary>
public sealed class Mlp : IDisposable
{
    /// <summary>Null for an MLP without a gate.</summary>
    public Linear? Gate { get; init; }

    public required Linear Up { get; init; }

    public required Linear Down { get; init; }

    public required Activation Activation { get; init; }

    /// <summary>Null for a dense MLP.</summary>
    public Experts? Experts { get; private set; }

    public int IntermediateSize => (int)Up.Weight.shape[0];

    /// <summary>In the order of computation.</summary>
    public IReadOnlyList<Linear> Linears => Gate is null ? [Up, Down] : [Gate, Up, Down];

    /// <param name="experts">Disposed with the MLP, whose neurons they divide.</param>
    public void SetExperts(Experts experts)
    {
        Experts?.Dispose();
        Experts = experts;
    }

    /// <param name="x">[B, T, hidden], after the norm.</param>
    /// <returns>[B, T, hidden], before the residual edge.</returns>
    public Tensor Forward(Tensor x, LinearHook? hook)
    {
        if (Experts is not null && hook is null && !is_grad_enabled())
            return Experts.Forward(this, x);
        using var scope = NewDisposeScope();
        return Down.Forward(Neurons(x, hook), hook).MoveToOuterDisposeScope();
    }

    /// <returns>[B, T, intermediate]: what the last linear reads.</returns>
    internal Tensor Neurons(Tensor x, LinearHook? hook)
    {
        using var scope = NewDisposeScope();
        var neurons = Gate is null ? Activation.Apply(Up.Forward(x, hook)) : Gated(Gate);

        // Where every neuron has to be seen or differentiated, an expert is a mask; its result is the same.
        return (Experts is null ? neurons : neurons * Experts.Mask(x, IntermediateSize)).MoveToOuterDisposeScope();

        Tensor Gated(Linear linear)
        {
            var gate = linear.Forward(x, hook);
            var up = Up.Forward(x, hook);
            var gated = Activation.Apply(gate);
            return is_grad_enabled() ? gated * up : gated.mul_(up);
        }
    }

    public void Dispose()
    {
        foreach (var linear in Linears)
            linear.Dispose();
        Experts?.Dispose();
    }
}
