using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Deciding;

/// <summary>
/// A decision, however it was reached: which units of a model stay, which channels of the residual stream its blocks read and
/// write, and which halves of its blocks go. A ranking, a frozen gate, a search and a policy all end in one.
/// </summary>
/// <param name="Model">The hash of the checkpoint that it was made for.</param>
/// <param name="Method">The kind of the stage that made it.</param>
/// <param name="Sites">Places that are not named keep all of their units.</param>
public sealed record PruningDecision(string Model, string Method, IReadOnlyList<KeptUnits> Sites)
{
    /// <summary>Of the residual stream, which itself stays whole; halves that are not named read and write all of it.</summary>
    public IReadOnlyList<KeptChannels> Channels { get; init; } = [];

    /// <summary>Blocks whose attention goes, by index.</summary>
    public IReadOnlyList<int> RemovedAttention { get; init; } = [];

    /// <summary>Blocks whose MLP goes, by index; with both gone, the block goes.</summary>
    public IReadOnlyList<int> RemovedMlp { get; init; } = [];

    /// <summary>Cuts the model down to what stays; with <paramref name="mean"/>, what is removed lives on as a constant.</summary>
    /// <param name="mean">Of a linear's input, by the linear's name: [in].</param>
    /// <exception cref="StageException">The decision does not fit the model, or nothing would be left of an attention or MLP.</exception>
    public void Apply(CausalLM model, Func<string, Tensor>? mean, StageContext stage, CancellationToken cancellation)
    {
        foreach (var (index, (site, kept)) in Matched(model.Sites()).Index())
        {
            cancellation.ThrowIfCancellationRequested();
            if (kept.Units.Count == 0)
                throw new StageException($"nothing would be left to feed {site.Reader.Name}: choose a lower ratio, or one that holds in each layer");
            if (mean is not null)
                Compensate(site, mean(site.Reader.Name), kept.Units);
            site.Keep(kept.Units);
            stage.Report(index + 1, Sites.Count, "site", (kept.Kind == UnitKind.Neuron ? "neurons" : "KV groups", kept.Units.Count));
            stage.Log($"{kept.Name}: {kept.Units.Count} of {kept.Of} stay");
        }

        foreach (var channels in Channels)
            channels.Apply(model);
        RemoveHalves(model);
    }

    /// <summary>The same for an image network, all sites at once: they may share tensors.</summary>
    /// <exception cref="StageException">The decision does not fit the network, or nothing would be left at a site.</exception>
    public void Apply(ImageClassifier network, StageContext stage)
    {
        if (Channels.Count + RemovedAttention.Count + RemovedMlp.Count > 0)
            throw new StageException("the decision cuts blocks of a language model, but this is an image network");
        var cut = Matched(network.Sites()).ToArray();
        foreach (var (_, kept) in cut)
        {
            if (kept.Units.Count == 0)
                throw new StageException($"no channel of {kept.Name} would be left: choose a lower ratio, or one that holds in each place");
            stage.Log($"{kept.Name}: {kept.Units.Count} of {kept.Of} stay");
        }

        UnitCut.Keep([.. cut.Select(one => ((UnitSite)one.Site, one.Kept.Units))]);
        stage.Report(Sites.Count, Sites.Count, "site");
    }

    /// <summary>Puts what was cut by this decision, and may have been trained since, back to the widths before (<see cref="ChannelRestore"/>).</summary>
    /// <param name="whole">The network that the decision was made for; its tensors are replaced.</param>
    /// <exception cref="StageException">The decision does not fit the network.</exception>
    /// <exception cref="ModelException"><paramref name="cut"/> is not what the decision leaves.</exception>
    public void Restore(ImageClassifier whole, ImageClassifier cut) =>
        ChannelRestore.Into(whole, cut, [.. Matched(whole.Sites()).Select(one => (one.Site, one.Kept.Units))]);

    private IEnumerable<(TSite Site, KeptUnits Kept)> Matched<TSite>(IEnumerable<TSite> sites)
        where TSite : UnitSite
    {
        var found = sites.ToDictionary(site => site.Name);
        foreach (var kept in Sites)
        {
            if (!found.TryGetValue(kept.Name, out var site) || site.Kind != kept.Kind || site.Count != kept.Of)
                throw new StageException($"the decision keeps {kept.Units.Count} of {kept.Of} units of {kept.Name}, which this model does not have");
            yield return (site, kept);
        }
    }

    /// <summary><c>b += W[:, removed] · mean[removed]</c> (FLAP, arXiv:2312.11983).</summary>
    private static void Compensate(LinearSite site, Tensor mean, IReadOnlyList<int> units)
    {
        using var scope = NewDisposeScope();
        var linear = site.Reader;
        var removed = mean.to(linear.Weight.device).clone();
        removed.index_fill_(0, tensor(site.ReaderChannels(units), device: removed.device), 0);
        var constant = linear.Weight.to(ScalarType.Float64).mv(removed).to(linear.Weight.dtype);
        linear.SetBias(linear.Bias is { } bias ? bias + constant : constant);
    }

    private void RemoveHalves(CausalLM model)
    {
        if (RemovedAttention.Concat(RemovedMlp).FirstOrDefault(block => block < 0 || block >= model.Blocks.Count, -1) is >= 0 and var absent)
            throw new StageException($"the decision removes a part of block {absent}, but the model has {model.Blocks.Count} blocks");
        foreach (var block in RemovedAttention)
            model.Blocks[block].RemoveAttention();
        foreach (var block in RemovedMlp)
            model.Blocks[block].RemoveMlp();
        var gone = model.Blocks.Index().Where(block => block.Item is { Attention: null, Mlp: null }).Select(block => block.Index).ToArray();
        if (gone.Length == model.Blocks.Count)
            throw new StageException("no block would be left: choose a lower ratio");
        model.RemoveBlocks(gone);
    }
}

/// <summary>The units of one place that stay, in ascending order.</summary>
/// <param name="Name">As <see cref="UnitSite.Name"/>.</param>
/// <param name="Of">How many there are before.</param>
public sealed record KeptUnits(string Name, UnitKind Kind, int Of, IReadOnlyList<int> Units)
{
    public static KeptUnits From(UnitSite site, IReadOnlyList<int> units) => new(site.Name, site.Kind, site.Count, units);
}
