using Pipelines.Activities.Deciding;
using Pipelines.Activities.Gates;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// The channels of an image network as zero-invariant groups (Chen et al., arXiv:2107.07467): what makes a channel is filters,
/// biases, scales and shifts, and where all of them are 0, so is the channel, and cutting it away changes nothing. A group
/// is a row of a matrix, one matrix for each site, so that what methods do to groups is plain algebra.
/// </summary>
public sealed class ChannelGroups : IDisposable
{
    private readonly ImageClassifier network;
    private readonly (UnitMember Member, Tensor Index)[][] makers;
    private readonly UnitCost before;

    /// <exception cref="StageException">The network has no such channels.</exception>
    public ChannelGroups(ImageClassifier network, ChannelScope scope)
    {
        this.network = network;
        Sites = network.Sites(scope);
        if (Sites.Count == 0)
            throw new StageException($"{network.Config.Architecture} has no channels of scope '{scope.ToString().ToLowerInvariant()}': there is nothing to prune");
        makers = [.. Sites.Select(site => site.Members.Where(Makes).Select(member => (member, Index(site, member))).ToArray())];
        Size = new ChannelSize(network, Sites);
        before = VisionFlops.Costs(network).Whole;
    }

    public IReadOnlyList<ChannelSite> Sites { get; }

    /// <summary>Multiply-adds by how many channels are left.</summary>
    public ChannelSize Size { get; }

    /// <summary>Units of each site.</summary>
    public IReadOnlyList<long> Counts => [.. Sites.Select(site => (long)site.Count)];

    /// <summary>What makes the units of a site, side by side, as it is now.</summary>
    /// <returns>[units, entries of a unit].</returns>
    public Tensor Vectors(int site)
    {
        using var scope = NewDisposeScope();
        var parts = makers[site].Select(maker => maker.Member.Tensor.Value.index_select(0, maker.Index).reshape(Sites[site].Count, -1));
        return cat([.. parts], 1).MoveToOuterDisposeScope();
    }

    /// <summary>Writes back what <see cref="Vectors"/> gave, changed, into the tensors themselves: an optimizer goes on with them.</summary>
    public void Put(int site, Tensor vectors)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var at = 0L;
        foreach (var (member, index) in makers[site])
        {
            var shape = member.Tensor.Value.shape;
            shape[0] = index.numel();
            var width = shape.Aggregate(1L, (product, size) => product * size) / Sites[site].Count;
            member.Tensor.Value.index_copy_(0, index, vectors.narrow(1, at, width).reshape(shape));
            at += width;
        }
    }

    /// <summary>Makes units 0, and takes out of lists what they would pass on, in place.</summary>
    public void Close(int site, IReadOnlyList<int> units)
    {
        if (units.Count == 0)
            return;
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        foreach (var member in Sites[site].Members.Where(member => Makes(member) || member.Role == UnitRole.Entry))
        {
            var index = tensor(units.SelectMany(member.Indices).ToArray(), device: network.Device);
            member.Tensor.Value.index_fill_(0, index, member.Role == UnitRole.Entry ? -1 : 0);
        }
    }

    /// <summary>Makes the network compute what it would with the units multiplied by gates.</summary>
    /// <param name="gates">[units] of each site.</param>
    public ChannelMasks Hook(IReadOnlyList<Tensor> gates)
    {
        var masks = new ChannelMasks();
        foreach (var (site, gate) in Sites.Zip(gates))
            site.Gate(masks, gate);
        return masks;
    }

    /// <summary>Gates without noise, so that the network with the open ones costs no more than the budget; one of each site at least.</summary>
    /// <param name="macs">Of the whole network.</param>
    /// <returns>Ascending indices of the open units of each site.</returns>
    public int[][] Freeze(IReadOnlyList<Tensor> logits, double macs)
    {
        var least = Size.Of([.. Sites.Select(_ => 0)]);
        return BudgetFreeze.Keep(logits, Added, macs - least);

        double Added(int site, IReadOnlyList<int> counts)
        {
            var more = counts.ToArray();
            var before = Size.Of(more);
            more[site]++;
            return Size.Of(more) - before;
        }
    }

    /// <summary>Cuts the network down to some units, and says which they were.</summary>
    /// <param name="hash">The hash of the checkpoint that was given.</param>
    /// <param name="method">The kind of the stage.</param>
    public PrunedResult Cut(IReadOnlyList<IReadOnlyList<int>> kept, string hash, string method, StageContext stage)
    {
        using var ungraded = no_grad();
        var decision = new PruningDecision(hash, method, [.. Sites.Zip(kept, (site, units) => KeptUnits.From(site, units))]);
        decision.Apply(network, stage);
        var after = VisionFlops.Costs(network).Whole;
        var result = new PrunedResult(decision, (double)after.Parameters / before.Parameters, after.Macs / before.Macs);
        stage.Log($"{result.Macs:p2} of {before.Macs / 1e6:0.##} million multiply-adds ({VisionFlops.Convention}) and {result.Kept:p2} of {before.Parameters:N0} parameters are left");
        return result;
    }

    public void Dispose()
    {
        foreach (var (_, index) in makers.SelectMany(members => members))
            index.Dispose();
    }

    /// <summary>The units that are not among some.</summary>
    public int[] Others(int site, IReadOnlyList<int> units) => [.. Enumerable.Range(0, Sites[site].Count).Except(units)];

    private static bool Makes(UnitMember member) =>
        member.Role is UnitRole.Output or UnitRole.Bias or UnitRole.Scale or UnitRole.Shift;

    private static Tensor Index(ChannelSite site, UnitMember member)
    {
        var channels = Enumerable.Range(0, site.Count).SelectMany(member.Indices).ToArray();
        return tensor(channels, device: member.Tensor.Value.device).DetachFromDisposeScope();
    }
}

/// <summary>A network that was cut by groups.</summary>
/// <param name="Kept">Share of the parameters that is left.</param>
/// <param name="Macs">Share of the multiply-adds that is left.</param>
public sealed record PrunedResult(PruningDecision Decision, double Kept, double Macs);
