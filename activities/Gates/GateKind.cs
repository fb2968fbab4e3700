using System.ComponentModel;
using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>How a gate that learns is drawn, and what gradient its draw has.</summary>
public enum GateKind
{
    [Description("0 or 1 by one Gumbel variable, with the gradient of a sigmoid (DISP-LLM, arXiv:2410.11988)")]
    Gumbel,

    [Description("0 or 1 by a Bernoulli draw, with a gradient that is right to second order (ReinMax, arXiv:2304.08612)")]
    ReinMax,

    [Description("Between 0 and 1, with both ends likely (hard concrete, arXiv:1712.01312)")]
    HardConcrete,
}

/// <summary>The gates of a training step, of one kind, all nearly open while their logits are near 0.</summary>
public sealed class TrainedGate(GateKind kind)
{
    // As much as DISP-LLM's gate adds by itself.
    private const double Opening = 3;

    private readonly BinaryGate gate = kind switch
    {
        GateKind.ReinMax => new ReinMaxGate(),
        GateKind.HardConcrete => new HardConcrete(),
        _ => new GumbelSigmoid(Offset: 0),
    };

    /// <param name="logits">[n].</param>
    /// <returns>What multiplies, and what a size counts: both [n], with gradients to the logits.</returns>
    public (Tensor Gate, Tensor Counted) Sample(Tensor logits, Generator noise)
    {
        using var scope = NewDisposeScope();
        var shifted = logits + Opening;
        var drawn = gate.Sample(shifted, noise);
        return (drawn.MoveToOuterDisposeScope(), gate.Counted(shifted, drawn).MoveToOuterDisposeScope());
    }
}
