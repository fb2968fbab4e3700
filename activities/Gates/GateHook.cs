using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// Multiplies what linears read and what they make by gates, channel by channel. With gates of 0 and 1 the model computes
/// what is left of it once the closed channels are cut; in between, gates have gradients.
/// </summary>
public sealed class GateHook : LinearHook
{
    private readonly Dictionary<Linear, Tensor> reads = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Linear, Tensor> writes = new(ReferenceEqualityComparer.Instance);

    // Linears that read the same tensor through the same gates share the product.
    private (Tensor Input, Tensor Gates, Tensor Product)? last;

    /// <param name="gates">[in], of every linear that is given.</param>
    public GateHook Read(IEnumerable<Linear> linears, Tensor gates)
    {
        foreach (var linear in linears)
            reads.Add(linear, gates);
        return this;
    }

    /// <param name="gates">[out]; a bias is gated too.</param>
    public GateHook Write(Linear linear, Tensor gates)
    {
        writes.Add(linear, gates);
        return this;
    }

    public override Tensor Before(Linear linear, Tensor input)
    {
        if (!reads.TryGetValue(linear, out var gates))
            return input;
        if (last is { } before && ReferenceEquals(before.Input, input) && ReferenceEquals(before.Gates, gates))
            return before.Product;
        var product = input * gates.to(input.dtype);
        last = (input, gates, product);
        return product;
    }

    public override Tensor After(Linear linear, Tensor output) =>
        writes.TryGetValue(linear, out var gates) ? output * gates.to(output.dtype) : output;
}
