using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// The penalty that drives adapters out of units which are closing: <c>Σ (1 − m_i) ‖·‖₂</c> over the rows of B that make a
/// unit and the columns of A that read it.
/// </summary>
public sealed class GroupLasso : IDisposable
{
    // The root has no slope at 0, where every B starts.
    private const double Smoothing = 1e-12;

    private readonly List<(int Site, LinearMember Member, Tensor Index)> groups = [];

    public GroupLasso(IReadOnlyList<LinearSite> sites)
    {
        foreach (var (index, site) in sites.Index())
        {
            foreach (var member in site.Linears)
            {
                var channels = Enumerable.Range(0, site.Count).SelectMany(member.Indices).ToArray();
                groups.Add((index, member, tensor(channels, device: member.Linear.Weight.device).DetachFromDisposeScope()));
            }
        }
    }

    /// <param name="gates">One vector per site.</param>
    /// <returns>A scalar with gradients to the gates and to the adapters, whichever record them.</returns>
    public Tensor Of(IReadOnlyList<Tensor> gates)
    {
        using var scope = NewDisposeScope();
        var terms = groups.Select(group => ((1 - gates[group.Site]) * Norms(group.Member, group.Index, gates[group.Site].numel())).sum());
        return stack([.. terms]).sum().MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var group in groups)
            group.Index.Dispose();
    }

    /// <returns>[units].</returns>
    private static Tensor Norms(LinearMember member, Tensor index, long units)
    {
        var adapter = member.Linear.Adapter!;
        var squares = member.Axis == 0 ? adapter.B.square().sum([1L]) : adapter.A.square().sum([0L]);
        return (squares.index_select(0, index).view(units, -1).sum([1L]) + Smoothing).sqrt();
    }
}
