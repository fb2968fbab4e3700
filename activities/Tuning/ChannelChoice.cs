using Pipelines.Activities.Gates;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// Which channels of a network stay, as something that learns: a small network makes a logit for each channel, noise makes
/// gates of the logits, and in the end they are settled, without noise, exactly to a budget of multiply-adds.
/// </summary>
internal sealed class ChannelChoice : IDisposable
{
    private readonly ChannelGroups groups;
    private readonly HyperNetwork controller;
    private readonly GumbelSigmoid gate = new();
    private readonly double budget;

    /// <param name="ratio">Share of the network's multiply-adds to remove.</param>
    /// <param name="least">The share of what can be pruned must be above it.</param>
    /// <exception cref="StageException">The ratio cannot be reached.</exception>
    public ChannelChoice(ChannelGroups groups, double ratio, long seed, Device device, double least = 0)
    {
        this.groups = groups;
        budget = groups.Size.Budget(ratio);
        Wanted = ChannelSize.PrunableShare(groups.Size.Whole, groups.Size.Prunable, ratio);
        if (Wanted <= least)
            throw new StageException($"{Wanted:p2} of what can be pruned would be left: choose a lower ratio");
        using var generator = GateNoise.At(seed, -1);
        controller = new HyperNetwork(groups.Counts, generator, device, shape: HyperShape.Ato);
    }

    /// <summary>The share of <see cref="ChannelSize.Prunable"/> that is to be left.</summary>
    public double Wanted { get; }

    /// <summary>What an optimizer trains.</summary>
    public IReadOnlyList<Parameter> Trained => controller.Trained;

    /// <summary>What a checkpoint needs beside <see cref="Trained"/>.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Remembered => controller.Named.Where(one => one.Name == "inputs");

    /// <summary>Between 0 and 1, [units] of each site, under noise, with gradients to <see cref="Trained"/>.</summary>
    public Tensor[] Gates(Generator noise) => [.. controller.Forward().Select(logits => gate.SampleSoft(logits, noise))];

    /// <summary>The share of the whole network's multiply-adds that is left, by what is left of the prunable part.</summary>
    public double Share(Tensor prunable) => (prunable.ToDouble() + groups.Size.Whole - groups.Size.Prunable) / groups.Size.Whole;

    /// <summary>The units that are likelier open than closed, whatever they cost; one of each site at least.</summary>
    public int[][] Likelier() => Without(logits => [.. logits.Select(gate.Freeze)]);

    /// <summary>Those that stay: the likeliest, as many as the budget allows.</summary>
    public int[][] Settled() => Without(logits => groups.Freeze(logits, budget));

    public void Dispose() => controller.Dispose();

    private int[][] Without(Func<Tensor[], int[][]> choose)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        return choose(controller.Forward());
    }
}
