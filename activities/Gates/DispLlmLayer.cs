using static TorchSharp.torch;

namespace Pipelines.Activities.Gates;

/// <summary>
/// The size of a transformer layer under DISP-LLM's five index sets (arXiv:2410.11988, section 3): S1 and S2 of the residual
/// stream into and out of attention, S3 into the MLP, S4 of its neurons, S5 out of it. Heads stay whole.
/// </summary>
/// <param name="Residual">Width of the residual stream.</param>
/// <param name="Query">Query heads times head width.</param>
/// <param name="KeyValue">Key-value heads times head width.</param>
/// <param name="Inner">Neurons of the MLP.</param>
public sealed record DispLlmLayer(long Residual, long Query, long KeyValue, long Inner)
{
    public const int GatesPerLayer = 5;

    /// <summary>Gates in S1 to S5.</summary>
    public IReadOnlyList<long> GateSizes => [Residual, Residual, Residual, Inner, Residual];

    /// <summary>Parameters of the layer's linears with every gate open.</summary>
    public long FullSize => Residual * (2 * Query + 2 * KeyValue) + 3 * Residual * Inner;

    /// <summary>
    /// <c>|S1|(q + 2kv) + |S2|q</c> of attention and <c>2|S3||S4| + |S4||S5|</c> of the MLP, with the sums of the gates as
    /// the sizes of the sets.
    /// </summary>
    /// <param name="gates">S1 to S5, of <see cref="GateSizes"/>.</param>
    /// <returns>A scalar in double precision with gradients to the gates: half precision would not even hold it.</returns>
    public Tensor Size(IReadOnlyList<Tensor> gates)
    {
        if (gates.Count != GatesPerLayer)
            throw new ArgumentException($"{gates.Count} gate vectors: expected {GatesPerLayer}");
        using var scope = NewDisposeScope();
        var open = gates.Select(gate => gate.sum(ScalarType.Float64)).ToArray();
        var attention = open[0] * (Query + 2 * KeyValue) + open[1] * Query;
        var mlp = open[3] * (2 * open[2] + open[4]);
        return (attention + mlp).MoveToOuterDisposeScope();
    }

    /// <summary>The size of several layers.</summary>
    /// <param name="gates">Five per layer, layer after layer.</param>
    public static Tensor Size(IReadOnlyList<DispLlmLayer> layers, IReadOnlyList<Tensor> gates)
    {
        if (gates.Count != layers.Count * GatesPerLayer)
            throw new ArgumentException($"{gates.Count} gate vectors: expected {GatesPerLayer} for each of {layers.Count} layers");
        using var scope = NewDisposeScope();
        var sizes = layers.Zip(gates.Chunk(GatesPerLayer), (layer, five) => layer.Size(five));
        return stack([.. sizes]).sum().MoveToOuterDisposeScope();
    }
}
