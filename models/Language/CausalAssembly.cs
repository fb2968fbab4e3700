using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>Puts a model together from tensors asked for by name and shape.</summary>
/// <param name="read">The tensor of a name and shape.</param>
/// <param name="has">Whether there is such a tensor, where the config leaves it open.</param>
internal sealed class CausalAssembly(CausalConfig config, Func<string, long[], Tensor> read, Func<string, bool> has)
{
    private readonly TensorNames names = config.Names;

    /// <param name="blocks">Whether the model gets its blocks, or only what is around them.</param>
    public CausalLM Build(IReadOnlyList<LayerShape> shapes, bool blocks = true)
    {
        var (first, last) = (shapes[0].Widths?.Before ?? config.HiddenSize, shapes[^1].Widths?.After ?? config.HiddenSize);
        var embedding = Keep($"{names.Embedding}.weight", config.VocabSize, first);
        var positions = names.Positions is null
            ? null
            : Keep($"{names.Positions}.weight", config.PositionOffset + config.MaxPositionEmbeddings, first);
        var built = blocks ? shapes.Select((shape, index) => Block(index, shape)).ToArray() : [];
        var model = new CausalLM(config, embedding, built, Norm(names.Norm, last))
        {
            PositionEmbedding = positions,
            HeadBias = config.HeadBias ? Keep($"{names.Head}.bias", config.VocabSize) : null,
        };
        if (!config.TieWordEmbeddings)
            model.SetHead(Keep($"{names.Head}.weight", config.VocabSize, last));
        return model;
    }

    /// <param name="index">Of the block.</param>
    public DecoderBlock Block(int index, LayerShape shape)
    {
        var name = names.Layer(index);
        var widths = shape.Widths ?? new StreamWidths(config.HiddenSize, config.HiddenSize, config.HiddenSize);
        var block = new DecoderBlock(
            shape.KeyValueHeads > 0 ? Attention(name, index, shape, widths) : null,
            shape.IntermediateSize > 0 ? Mlp(name, shape, widths) : null)
        {
            AttentionNorm = Norm($"{name}.{names.AttentionNorm}", widths.Before),
            MlpNorm = names.MlpNorm is null ? null : Norm($"{name}.{names.MlpNorm}", widths.Between),
        };
        if (shape.Widths is not null)
        {
            foreach (var norm in block.Norms)
                norm.Divisor = config.HiddenSize;
            block.SetAttentionShortcut(Keep($"{name}.{DecoderBlock.AttentionShortcutName}", widths.Before, widths.Between));
            block.SetMlpShortcut(Keep($"{name}.{DecoderBlock.MlpShortcutName}", widths.Between, widths.After));
        }

        return block;
    }

    private Attention Attention(string block, int index, LayerShape shape, StreamWidths widths)
    {
        var group = config.NumAttentionHeads / config.NumKeyValueHeads;
        var (keyDim, valueDim) = (shape.KeyDim ?? config.HeadDim, shape.ValueDim ?? config.HeadDim);
        long keys = shape.KeyValueHeads * keyDim, values = shape.KeyValueHeads * valueDim;
        long reads = shape.Selection?.AttentionReads ?? widths.Before, writes = shape.Selection?.AttentionWrites ?? widths.Between;
        var attention = new Attention
        {
            Query = Linear($"{block}.{names.Query}", keys * group, reads, config.QueryBias, shape.Selection),
            Key = Linear($"{block}.{names.Key}", keys, reads, config.QueryBias, shape.Selection),
            Value = Linear($"{block}.{names.Value}", values, reads, config.QueryBias, shape.Selection),
            Output = Linear($"{block}.{names.Output}", writes, values * group, config.OutputBias || shape.OutputBiases, null),
            KeyDim = keyDim,
            ValueDim = valueDim,
            Scale = 1 / Math.Sqrt(config.HeadDim),
            Windowed = config.SlidingWindow is not null && index >= config.FirstWindowedLayer,
        };
        if (shape.KeyDim is not null && config.RotaryDim > 0)
            attention.SetRotaryPairs(Keep($"{block}.{DecoderBlock.RotaryPairsName}", shape.KeyValueHeads, (shape.RotaryDim ?? keyDim) / 2));
        if (shape.Selection is not null)
            attention.Output.SetWrites(Keep($"{attention.Output.Name}.{DecoderBlock.WritesName}", writes), widths.Between);
        return attention;
    }

    private Mlp Mlp(string block, LayerShape shape, StreamWidths widths)
    {
        long reads = shape.Selection?.MlpReads ?? widths.Between, writes = shape.Selection?.MlpWrites ?? widths.After;
        long neurons = shape.IntermediateSize;
        var mlp = new Mlp
        {
            Gate = names.Gate is null ? null : Linear($"{block}.{names.Gate}", neurons, reads, config.MlpBias, shape.Selection),
            Up = Linear($"{block}.{names.Up}", neurons, reads, config.MlpBias, shape.Selection),
            Down = Linear($"{block}.{names.Down}", writes, neurons, config.MlpBias || shape.OutputBiases, null),
            Activation = config.Activation,
        };
        if (shape.Selection is not null)
            mlp.Down.SetWrites(Keep($"{mlp.Down.Name}.{DecoderBlock.WritesName}", writes), widths.After);
        return mlp;
    }

    /// <param name="selection">Not null where it reads some channels only.</param>
    private Linear Linear(string name, long rows, long columns, bool biased, Selection? selection)
    {
        var bias = $"{name}.bias";
        if (!biased && has(bias))
            throw new ModelException($"tensor '{bias}' is there, but neither config.json nor {ExportManifest.FileName} tells of it");
        var linear = new Linear(name, Keep($"{name}.weight", rows, columns), biased ? Keep(bias, rows) : null);
        if (selection is not null)
            linear.SetReads(Keep($"{name}.{DecoderBlock.ReadsName}", columns));
        return linear;
    }

    private Norm Norm(string name, long width) => new(
        name, config.Norm, Keep($"{name}.weight", width), config.Norm == NormKind.Layer ? Keep($"{name}.bias", width) : null, config.NormEps);

    private Tensor Keep(string name, params long[] shape) => read(name, shape).DetachFromDisposeScope();
}
