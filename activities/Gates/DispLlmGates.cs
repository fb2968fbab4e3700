using Pipelines.Activities.Deciding;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// DISP-LLM's gates of a whole model, in one list: S1 and S2 of a block's attention, S3, S4 and S5 of its MLP, of the halves
/// that it has, block after block. In a parallel block the two halves read the same norm through gates of their own.
/// </summary>
public sealed class DispLlmGates
{
    private readonly CausalLM model;
    private readonly DispLlmLayer[] layers;
    private readonly Dictionary<int, LinearSite> neurons;

    // Of a layer, the index of its first vector; of a vector, its layer.
    private readonly int[] firsts;
    private readonly int[] owners;

    /// <exception cref="StageException">The model's residual stream was cut before.</exception>
    /// <exception cref="ModelException">Its blocks share weights, or its neurons are experts'.</exception>
    public DispLlmGates(CausalLM model)
    {
        if (model.Blocks.Any(block => block.AttentionShortcut is not null || block.MlpShortcut is not null)
            || model.Linears().Any(linear => linear.Reads is not null || linear.Writes is not null))
            throw new StageException("channels of this model's residual stream were cut before; that cannot be done again");
        this.model = model;
        neurons = model.Sites().Where(site => site.Kind == UnitKind.Neuron).ToDictionary(site => site.Block);
        layers = [.. model.Blocks.Select(DispLlmLayer.Of)];
        firsts = [.. layers.Select((_, index) => layers.Take(index).Sum(layer => layer.GateSizes.Count))];
        owners = [.. layers.SelectMany((layer, index) => Enumerable.Repeat(index, layer.GateSizes.Count))];
        Sizes = [.. layers.SelectMany(layer => layer.GateSizes)];
        FullSize = layers.Sum(layer => layer.FullSize);
    }

    /// <summary>Gates in each vector.</summary>
    public IReadOnlyList<long> Sizes { get; }

    /// <summary>Weights of the blocks' linears with every gate open.</summary>
    public long FullSize { get; }

    /// <returns>A scalar in double precision, with gradients to the gates.</returns>
    public Tensor Size(IReadOnlyList<Tensor> gates) => DispLlmLayer.Size(layers, gates);

    /// <summary>Makes the model compute what it would without the closed gates' channels.</summary>
    public GateHook Hook(IReadOnlyList<Tensor> gates)
    {
        var hook = new GateHook();
        Walk((half, vectors) =>
        {
            hook.Read(half.Readers, gates[vectors[0]]).Write(half.Writer, gates[vectors[^1]]);
            if (vectors.Length == 3)
                hook.Read([half.Writer], gates[vectors[1]]);
        });
        return hook;
    }

    /// <summary>Without noise, so that <paramref name="kept"/> of <see cref="FullSize"/> is not exceeded; at least one gate of each vector.</summary>
    /// <returns>Ascending indices of the open gates of each vector.</returns>
    public int[][] Freeze(IReadOnlyList<Tensor> logits, double kept) => BudgetFreeze.Keep(logits, Added, kept * FullSize);

    /// <summary>The size of frozen gates, relative to all.</summary>
    public double Share(IReadOnlyList<int[]> open) =>
        layers.Index().Sum(one => one.Item.Size(Counts([.. open.Select(vector => vector.Length)], one.Index))) / (double)FullSize;

    /// <summary>Frozen gates as what is to stay of the model.</summary>
    /// <param name="hash">The model's.</param>
    /// <param name="method">The kind of the stage.</param>
    public PruningDecision Decide(IReadOnlyList<int[]> open, string hash, string method)
    {
        var (sites, channels) = (new List<KeptUnits>(), new List<KeptChannels>());
        Walk((half, vectors) =>
        {
            var block = owners[vectors[0]];
            if (vectors.Length == 3)
                sites.Add(KeptUnits.From(neurons[block], open[vectors[1]]));
            channels.Add(new KeptChannels(
                block, half.Half, (int)layers[block].Residual, open[vectors[0]], open[vectors[^1]]));
        });
        return new PruningDecision(hash, method, sites) { Channels = channels };
    }

    private double Added(int vector, IReadOnlyList<int> counts)
    {
        var layer = owners[vector];
        var mine = Counts(counts, layer);
        var before = layers[layer].Size(mine);
        mine[vector - firsts[layer]]++;
        return layers[layer].Size(mine) - before;
    }

    private int[] Counts(IReadOnlyList<int> counts, int layer) =>
        [.. Enumerable.Range(firsts[layer], layers[layer].GateSizes.Count).Select(vector => counts[vector])];

    /// <summary>Shows each half with its vectors: what reads the stream, the neurons of an MLP, what writes to it.</summary>
    private void Walk(Action<(BlockHalf Half, IReadOnlyList<Linear> Readers, Linear Writer), int[]> visit)
    {
        var next = 0;
        for (var block = 0; block < layers.Length; block++)
        {
            foreach (var half in KeptChannels.Halves(model, block))
            {
                var count = half.Half == BlockHalf.Mlp ? 3 : 2;
                visit(half, [.. Enumerable.Range(next, count)]);
                next += count;
            }
        }
    }
}
