using Pipelines.Activities.Deciding;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// A gate for each KV group and neuron of a model, one vector per site. They act on what the units' readers read, which is
/// all that a closed unit takes from the model.
/// </summary>
public sealed class UnitGates : IDisposable
{
    private readonly LinearSite[] sites;

    // Of a reader's input channel, its unit: [in], int64.
    private readonly Tensor[] units;

    public UnitGates(CausalLM model)
    {
        sites = [.. model.Sites()];
        units = [.. sites.Select(UnitOfChannel)];
        Sizes = [.. sites.Select(site => (long)site.Count)];
        FullSize = model.Linears().Sum(linear => linear.Weight.numel());
    }

    /// <summary>Gates in each vector.</summary>
    public IReadOnlyList<long> Sizes { get; }

    public IReadOnlyList<LinearSite> Sites => sites;

    /// <summary>Weights of the blocks' linears with every gate open.</summary>
    public long FullSize { get; }

    /// <returns>A scalar in double precision, with gradients to the gates.</returns>
    public Tensor Size(IReadOnlyList<Tensor> gates)
    {
        using var scope = NewDisposeScope();
        var parts = gates.Zip(sites, (gate, site) => gate.sum(ScalarType.Float64) * Weights(site));
        return stack([.. parts]).sum().MoveToOuterDisposeScope();
    }

    /// <summary>Makes the model compute what it would without the closed units.</summary>
    public GateHook Hook(IReadOnlyList<Tensor> gates)
    {
        var hook = new GateHook();
        foreach (var (index, site) in sites.Index())
            hook.Read([site.Reader], gates[index].index_select(0, units[index]));
        return hook;
    }

    /// <summary>Without noise, so that <paramref name="kept"/> of <see cref="FullSize"/> is not exceeded; at least one unit of each site.</summary>
    public int[][] Freeze(IReadOnlyList<Tensor> logits, double kept) =>
        BudgetFreeze.Keep(logits, (index, _) => Weights(sites[index]), kept * FullSize);

    /// <param name="hash">The model's.</param>
    /// <param name="method">The kind of the stage.</param>
    public PruningDecision Decide(IReadOnlyList<int[]> open, string hash, string method) =>
        new(hash, method, [.. sites.Zip(open, KeptUnits.From)]);

    /// <summary>Frozen gates as 0 and 1.</summary>
    public Tensor[] Values(IReadOnlyList<int[]> open, Device device) =>
    [
        .. Sizes.Zip(open, (size, kept) =>
        {
            using var scope = NewDisposeScope();
            var index = tensor(kept.Select(unit => (long)unit).ToArray(), device: device);
            return zeros(size, device: device).index_fill_(0, index, 1).MoveToOuterDisposeScope();
        }),
    ];

    public void Dispose()
    {
        foreach (var tensor in units)
            tensor.Dispose();
    }

    // Two operations are one weight; biases count in no ratio.
    private static double Weights(LinearSite site) => site.UnitFlops / 2.0;

    private static Tensor UnitOfChannel(LinearSite site)
    {
        var channels = site.ReaderChannels(Enumerable.Range(0, site.Count));
        var width = channels.Length / site.Count;
        var unit = new long[channels.Length];
        foreach (var (position, channel) in channels.Index())
            unit[channel] = position / width;
        return tensor(unit, device: site.Reader.Weight.device).DetachFromDisposeScope();
    }
}
