using System.ComponentModel;
using Pipelines.Activities.Gates;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// Which channels of a network stay, as something that learns: each channel has a logit, noise makes gates of the logits, and
/// in the end they are settled, without noise, exactly to a budget of multiply-adds.
/// </summary>
internal sealed class ChannelChoice : IDisposable
{
    private readonly ChannelGroups groups;
    private readonly HyperNetwork? controller;
    private readonly Parameter[] plain = [];
    private readonly GumbelSigmoid gate = new();
    private readonly double budget;

    /// <param name="ratio">Share of the network's multiply-adds to remove.</param>
    /// <param name="least">The share of what can be pruned must be above it.</param>
    /// <exception cref="StageException">The ratio cannot be reached.</exception>
    public ChannelChoice(
        ChannelGroups groups, double ratio, long seed, Device device, double least = 0, ChannelLogits source = ChannelLogits.Network)
    {
        this.groups = groups;
        budget = groups.Size.Budget(ratio);
        Wanted = ChannelSize.PrunableShare(groups.Size.Whole, groups.Size.Prunable, ratio);
        if (Wanted <= least)
            throw new StageException($"{Wanted:p2} of what can be pruned would be left: choose a lower ratio");
        if (source == ChannelLogits.Plain)
        {
            plain = [.. groups.Counts.Select(count => nn.Parameter(zeros(count, device: device)))];
            foreach (var logits in plain)
                logits.DetachFromDisposeScope();
            return;
        }

        using var generator = GateNoise.At(seed, -1);
        controller = new HyperNetwork(groups.Counts, generator, device, shape: HyperShape.Ato);
    }

    /// <summary>The share of <see cref="ChannelSize.Prunable"/> that is to be left.</summary>
    public double Wanted { get; }

    /// <summary>What an optimizer trains.</summary>
    public IReadOnlyList<Parameter> Trained => controller?.Trained ?? plain;

    /// <summary>What a checkpoint needs beside <see cref="Trained"/>.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Remembered => controller?.Named.Where(one => one.Name == "inputs") ?? [];

    /// <summary>Between 0 and 1, [units] of each site, under noise, with gradients to <see cref="Trained"/>.</summary>
    public Tensor[] Gates(Generator noise) => [.. Logits().Select(logits => gate.SampleSoft(logits, noise))];

    /// <summary>The share of the whole network's multiply-adds that is left, by what is left of the prunable part.</summary>
    public double Share(Tensor prunable) => (prunable.ToDouble() + groups.Size.Whole - groups.Size.Prunable) / groups.Size.Whole;

    /// <summary>The units that are likelier open than closed, whatever they cost; one of each site at least.</summary>
    public int[][] Likelier() => Without(logits => [.. logits.Select(gate.Freeze)]);

    /// <summary>Those that stay: the likeliest, as many as the budget allows.</summary>
    public int[][] Settled() => Without(logits => groups.Freeze(logits, budget));

    public void Dispose()
    {
        controller?.Dispose();
        foreach (var logits in plain)
            logits.Dispose();
    }

    private Tensor[] Logits() => controller?.Forward() ?? plain;

    private int[][] Without(Func<Tensor[], int[][]> choose)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        return choose(Logits());
    }
}

/// <summary>Where the logits of gates come from.</summary>
public enum ChannelLogits
{
    [Description("Each is a number of its own")]
    Plain,

    [Description("A small recurrent network makes all of them, so that those of a place learn together")]
    Network,
}
