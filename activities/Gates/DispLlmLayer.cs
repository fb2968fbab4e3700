using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// The size of a transformer layer under DISP-LLM's five index sets (arXiv:2410.11988, section 3): S1 and S2 of the residual
/// stream into and out of attention, S3 into the MLP, S4 of its neurons, S5 out of it. Heads stay whole. A layer without
/// attention, or without an MLP, has the sets of the other half only.
/// </summary>
/// <param name="Residual">Width of the residual stream.</param>
/// <param name="Readers">Channels that attention makes of the stream: rows of q, k and v; 0 without attention.</param>
/// <param name="Mixed">Channels that attention's output reads; 0 without attention.</param>
/// <param name="Inner">Neurons of the MLP; 0 without one.</param>
/// <param name="InnerReaders">Linears that make them: 2 with a gate, 1 without.</param>
public sealed record DispLlmLayer(long Residual, long Readers, long Mixed, long Inner, int InnerReaders)
{
    /// <summary>A layer with gated neurons.</summary>
    /// <param name="query">Query heads times head width.</param>
    /// <param name="keyValue">Key-value heads times head width.</param>
    public static DispLlmLayer Gated(long residual, long query, long keyValue, long inner) =>
        new(residual, query + 2 * keyValue, query, inner, 2);

    public static DispLlmLayer Of(DecoderBlock block) => new(
        (block.Attention?.Output ?? block.Mlp?.Down)?.Weight.shape[0] ?? 0,
        block.Attention is { } attention ? attention.Linears.Take(3).Sum(linear => linear.Weight.shape[0]) : 0,
        block.Attention?.Output.Weight.shape[1] ?? 0, block.Mlp?.IntermediateSize ?? 0, block.Mlp is { Gate: null } ? 1 : 2);

    /// <summary>Gates in S1 to S5, of those that there are.</summary>
    public IReadOnlyList<long> GateSizes =>
    [
        .. Mixed > 0 ? [Residual, Residual] : Array.Empty<long>(),
        .. Inner > 0 ? [Residual, Inner, Residual] : Array.Empty<long>(),
    ];

    /// <summary>Weights of the layer's linears with every gate open.</summary>
    public long FullSize => Residual * (Readers + Mixed) + (InnerReaders + 1) * Residual * Inner;

    /// <summary>
    /// <c>|S1|(q + 2kv) + |S2|q</c> of attention and <c>2|S3||S4| + |S4||S5|</c> of the MLP, with the sums of the gates as
    /// the sizes of the sets.
    /// </summary>
    /// <param name="gates">S1 to S5, of <see cref="GateSizes"/>.</param>
    /// <returns>A scalar in double precision with gradients to the gates: half precision would not even hold it.</returns>
    public Tensor Size(IReadOnlyList<Tensor> gates)
    {
        Expect(gates.Count);
        using var scope = NewDisposeScope();
        var open = gates.Select(gate => gate.sum(ScalarType.Float64)).ToArray();
        var parts = new List<Tensor>();
        if (Mixed > 0)
            parts.Add(open[0] * Readers + open[1] * Mixed);
        if (Inner > 0)
            parts.Add(open[^2] * (InnerReaders * open[^3] + open[^1]));
        return (parts is [var only] ? only : parts[0] + parts[1]).MoveToOuterDisposeScope();
    }

    /// <summary>The same of sets that are counted.</summary>
    public long Size(ReadOnlySpan<int> open)
    {
        Expect(open.Length);
        var attention = Mixed > 0 ? open[0] * Readers + open[1] * Mixed : 0;
        var mlp = Inner > 0 ? (long)open[^2] * (InnerReaders * open[^3] + open[^1]) : 0;
        return attention + mlp;
    }

    /// <summary>The size of several layers.</summary>
    /// <param name="gates">Those of one layer after another.</param>
    public static Tensor Size(IReadOnlyList<DispLlmLayer> layers, IReadOnlyList<Tensor> gates)
    {
        var expected = layers.Sum(layer => layer.GateSizes.Count);
        if (gates.Count != expected)
            throw new ArgumentException($"{gates.Count} gate vectors: expected {expected} for {layers.Count} layers");
        using var scope = NewDisposeScope();
        var (sizes, first) = (new List<Tensor>(), 0);
        foreach (var layer in layers.Where(layer => layer.GateSizes.Count > 0))
        {
            sizes.Add(layer.Size([.. gates.Skip(first).Take(layer.GateSizes.Count)]));
            first += layer.GateSizes.Count;
        }

        return stack([.. sizes]).sum().MoveToOuterDisposeScope();
    }

    private void Expect(int count)
    {
        if (count != GateSizes.Count)
            throw new ArgumentException($"{count} gate vectors: expected {GateSizes.Count}");
    }
}
