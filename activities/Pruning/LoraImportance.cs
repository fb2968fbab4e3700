using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>LoRAPrune's importance of units from the gradients of adapters alone (Zhang et al., arXiv:2305.18403, section 3.2).</summary>
public static class LoraImportance
{
    /// <summary>
    /// <c>|Ĝ ⊙ (W + s B A)|</c> with <c>Ĝ = ∂B A + B ∂A − ∂B ∂A</c>, the gradient that the weight would have; the last term
    /// takes the gradients for an update of step 1, so it depends on the loss's scale.
    /// </summary>
    /// <returns>[out, in], double.</returns>
    /// <exception cref="InvalidOperationException">The linear has no adapter, or no gradient yet.</exception>
    public static Tensor Entries(Linear linear)
    {
        using var scope = NewDisposeScope();
        var adapter = linear.Adapter ?? throw new InvalidOperationException($"{linear.Name} has no adapter");
        var (a, b) = (Wide(adapter.A), Wide(adapter.B));
        var (da, db) = (Wide(Gradient(adapter.A)), Wide(Gradient(adapter.B)));
        var gradient = db.matmul(a) + b.matmul(da) - db.matmul(da);
        var weight = Wide(linear.Weight) + b.matmul(a) * adapter.Scale;
        return (gradient * weight).abs().MoveToOuterDisposeScope();

        Tensor Gradient(Tensor tensor) => tensor.grad ?? throw new InvalidOperationException($"{linear.Name} has no gradient");
    }

    /// <summary>Each member's sums per unit, as a share of their norm, added up.</summary>
    /// <param name="entries">Of a linear: [out, in].</param>
    /// <returns>[units].</returns>
    public static Tensor Units(LinearSite site, Func<Linear, Tensor> entries)
    {
        using var scope = NewDisposeScope();
        var members = site.PerUnit(member => entries(member.Linear).sum([1L - member.Axis]));
        return stack(members.Select(member => member / member.norm().clamp_min(double.Epsilon))).sum([0L]).MoveToOuterDisposeScope();
    }

    private static Tensor Wide(Tensor tensor) => tensor.detach().to(ScalarType.Float64);
}
