using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// Multiply-adds (<c>macs-1</c>) of an image network by how much of each site is open: of counts exactly, and of gates with
/// gradients. A weight that loses rows to one site and columns to another costs the product of what is left of both.
/// </summary>
public sealed class ChannelSize
{
    private readonly UnitCosts costs;
    private readonly IReadOnlyList<ChannelSite> sites;
    private readonly (double Uses, (long Length, (int Site, long Each)[] Parts)[] Axes)[] gated;

    public ChannelSize(ImageClassifier network, IReadOnlyList<ChannelSite> sites)
    {
        (this.sites, costs) = (sites, VisionFlops.Costs(network));
        var members = sites.Index()
            .SelectMany(site => site.Item.Members.Where(member => member.Role is UnitRole.Output or UnitRole.Input)
                .Select(member => (member.Tensor.Name, member.Axis, Site: site.Index, Each: (long)member.Indices(0).Count())))
            .ToLookup(member => member.Name);
        gated = [.. VisionFlops.ByNode(network).Where(node => members.Contains(node.Node.Weight)).Select(node =>
        {
            var shape = network[node.Node.Weight].shape;
            var axes = shape.Select((length, axis) =>
                (length, members[node.Node.Weight].Where(member => member.Axis == axis).Select(member => (member.Site, member.Each)).ToArray()));
            return (node.Macs / network[node.Node.Weight].numel(), axes.ToArray());
        })];
        Whole = costs.Whole.Macs;
        Prunable = gated.Sum(weight => weight.Axes.Aggregate(weight.Uses, (product, axis) => product * axis.Length));
        Least = Of([.. sites.Select(_ => 1)]);
    }

    /// <summary>Of the network as it was given.</summary>
    public double Whole { get; }

    /// <summary>Of the convolutions and linears that can lose any channel.</summary>
    public double Prunable { get; }

    /// <summary>Of the whole network with one unit of each site.</summary>
    public double Least { get; }

    /// <summary>Of the whole network with so many units of each site.</summary>
    public double Of(IReadOnlyList<int> counts) => costs.After(sites, counts).Macs;

    /// <summary>Of the prunable part under gates, whose sums stand for how many units are open.</summary>
    /// <param name="gates">[units] of each site.</param>
    /// <returns>A scalar in double precision with gradients to the gates.</returns>
    public Tensor Of(IReadOnlyList<Tensor> gates)
    {
        using var scope = NewDisposeScope();
        var closed = gates.Zip(sites, (gate, site) => site.Count - gate.sum(ScalarType.Float64)).ToArray();
        var total = zeros([], ScalarType.Float64, closed[0].device);
        foreach (var (uses, axes) in gated)
        {
            var product = full_like(total, uses);
            foreach (var (length, parts) in axes)
                product *= parts.Aggregate(full_like(total, (double)length), (left, part) => left - closed[part.Site] * part.Each);
            total += product;
        }

        return total.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What may be left of the prunable part so that <paramref name="ratio"/> of all multiply-adds go:
    /// <c>p = (T (1 − ρ) − (T − P)) / P</c>.
    /// </summary>
    /// <param name="whole">T.</param>
    /// <param name="prunable">P.</param>
    public static double PrunableShare(double whole, double prunable, double ratio) => (whole * (1 - ratio) - (whole - prunable)) / prunable;

    /// <summary>The budget that a ratio leaves, of the whole network.</summary>
    /// <exception cref="StageException">Even with one channel of each place the network would be above it.</exception>
    public double Budget(double ratio)
    {
        var budget = Whole * (1 - ratio);
        return Least <= budget ? budget : throw new StageException(
            $"with one channel in each place {Least / Whole:p1} of the multiply-adds are left, more than the {1 - ratio:p1} that are meant: "
            + "choose a lower ratio, or the larger scope");
    }
}
