using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// The decisions of an agent that prunes a network place by place (RLAL, Ganjdanesh et al., CVPR 2024): at each it sees
/// nine numbers and says which share of the channels goes, within bounds that leave the budget within reach.
/// </summary>
/// <remarks>
/// The bounds are known as <c>1 − (T − U) / F</c> with all that follows pruned away, and <c>1 − (T − U − F′) / F</c> with all
/// of it kept (T the budget, U what is used, F this place's, F′ what follows). Ours: they are taken of exact costs, for a
/// place that narrows both sides of a convolution costs no fixed F, and what is "pruned away" keeps its least width.
/// </remarks>
public sealed class PruningWalk
{
    /// <summary>Numbers in a state.</summary>
    public const int StateWidth = 9;

    private const double MostPruned = 0.8;
    private const int LeastChannels = 4;

    private readonly Func<IReadOnlyList<int>, double> cost;
    private readonly PruningPlace[] places;
    private readonly double budget;
    private readonly double whole;
    private readonly int[] full;
    private readonly int[] least;

    /// <param name="cost">Of a network with so many channels at each place.</param>
    /// <param name="budget">In the unit of <paramref name="cost"/>.</param>
    /// <exception cref="StageException">With the least width everywhere the network would be above the budget.</exception>
    public PruningWalk(IReadOnlyList<PruningPlace> places, Func<IReadOnlyList<int>, double> cost, double budget)
    {
        (this.places, this.cost, this.budget) = ([.. places], cost, budget);
        full = [.. places.Select(place => place.Channels)];
        least = [.. full.Select(Least)];
        whole = cost(full);
        if (cost(least) > budget)
        {
            throw new StageException(
                $"with a fifth of the channels in each place, and {LeastChannels} at least, {cost(least) / whole:p1} of the multiply-adds are left, "
                + $"more than the {budget / whole:p1} that are meant: choose a lower ratio");
        }
    }

    public int Count => places.Length;

    /// <summary>The fewest and the most channels that the next place may keep.</summary>
    /// <param name="decided">Channels of the places before it.</param>
    public (int Fewest, int Most) Bounds(IReadOnlyList<int> decided)
    {
        var at = decided.Count;
        var most = full[at];
        while (most > least[at] && cost([.. decided, most, .. least[(at + 1)..]]) > budget)
            most--;
        var fewest = least[at];
        while (fewest < most && cost([.. decided, fewest, .. full[(at + 1)..]]) < budget)
            fewest++;
        return (fewest, most);
    }

    /// <summary>Carries out an action, as far as the bounds allow.</summary>
    /// <param name="action">The share to remove, in [0, 1].</param>
    /// <returns>The channels that stay, and the action that was really taken.</returns>
    public (int Channels, double Action) Take(IReadOnlyList<int> decided, double action)
    {
        var count = full[decided.Count];
        var (fewest, most) = Bounds(decided);
        var channels = Math.Clamp(count - (int)Math.Round(action * count), fewest, most);
        return (channels, 1 - (double)channels / count);
    }

    /// <summary>
    /// What the agent sees: index, channels in and out, stride and kernel, as shares of the largest; the place's, the used and
    /// the remaining multiply-adds as shares of all; the last action.
    /// </summary>
    public double[] State(IReadOnlyList<int> decided, double last)
    {
        var at = decided.Count;
        var nothing = new int[Count];
        var used = cost([.. decided, .. nothing[at..]]);
        var place = places[at];
        return
        [
            (double)at / Count,
            (double)place.Inputs / places.Max(one => one.Inputs),
            (double)place.Channels / places.Max(one => one.Channels),
            (double)place.Stride / places.Max(one => one.Stride),
            (double)place.Kernel / places.Max(one => one.Kernel),
            (cost([.. decided, full[at], .. nothing[(at + 1)..]]) - used) / whole,
            used / whole,
            (cost([.. decided, .. full[at..]]) - used) / whole,
            last,
        ];
    }

    private static int Least(int channels) => Math.Min(channels, Math.Max(LeastChannels, (int)Math.Ceiling(channels * (1 - MostPruned) - 1e-9)));
}

/// <summary>A place that an agent prunes.</summary>
/// <param name="Inputs">Channels that its first convolution reads.</param>
/// <param name="Channels">That it makes.</param>
public sealed record PruningPlace(int Inputs, int Channels, int Stride, int Kernel)
{
    /// <summary>Of a site's first convolution.</summary>
    public static PruningPlace Of(ImageClassifier network, ChannelSite site)
    {
        var weight = site.Members.First(member => member.Role == UnitRole.Output).Tensor;
        var convolution = (Operation.Convolution)network.Graph.Nodes.First(node => node.Weight == weight.Name).Operation;
        return new PruningPlace((int)weight.Value.shape[1], site.Count, convolution.Stride, convolution.Kernel);
    }
}
