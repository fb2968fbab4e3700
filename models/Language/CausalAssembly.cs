using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>Puts a model together from tensors asked for by name and shape.</summary>
/// <param name="read">The tensor of a name and shape.</param>
/// <param name="has">Whether there is such a tensor, where the config leaves it open.</param>
internal sealed class CausalAssembly(CausalConfig config, Func<string, long[], Tensor> read, Func<string, bool> has)
{
    private readonly TensorNames names = config.Names;

    public CausalLM Build(IReadOnlyList<LayerShape> shapes)
    {
        var (first, last) = (shapes[0].Widths?.Before ?? config.HiddenSize, shapes[^1].Widths?.After ?? config.HiddenSize);
        var embedding = Keep($"{names.Embedding}.weight", config.VocabSize, first);
        var positions = names.Positions is null
            ? null
            : Keep($"{names.Positions}.weight", config.PositionOffset + config.MaxPositionEmbeddings, first);
        var model = new CausalLM(config, embedding, Blocks(shapes), Norm(names.Norm, last))
        {
            HeadBias = config.HeadBias ? Keep($"{names.Head}.bias", config.VocabSize) : null,
        };
        if (positions is not null)
            model.SetPositionEmbedding(positions);
        if (!config.TieWordEmbeddings)
            model.SetHead(Keep($"{names.Head}.weight", config.VocabSize, last));
        return model;
    }

    /// <param name="index">Of the block.</param>
    /// <param name="owner">Whose weights it shares, if it shares any: without one it gets them as its own.</param>
    public DecoderBlock Block(int index, LayerShape shape, DecoderBlock? owner = null)
    {
        var name = names.Layer(index);
        var widths = shape.Widths ?? new StreamWidths(config.HiddenSize, config.HiddenSize, config.HiddenSize);
        var place = new Place(index, name, shape, widths, owner);
        var block = new DecoderBlock(
            shape.KeyValueHeads > 0 ? Attention(place) : null, shape.IntermediateSize > 0 ? Mlp(place) : null)
        {
            AttentionNorm = BlockNorm($"{name}.{names.AttentionNorm}", shape, widths.Before),
            AttentionOutputNorm = shape.Shares is null ? null : OutputNorm($"{name}.{DecoderBlock.AttentionOutputNormName}"),
            MlpOutputNorm = shape.Shares is null ? null : OutputNorm($"{name}.{DecoderBlock.MlpOutputNormName}"),
            MlpNorm = names.MlpNorm is null ? null : BlockNorm($"{name}.{names.MlpNorm}", shape, widths.Between),
        };
        if (shape.Widths is not null)
        {
            foreach (var norm in block.Norms)
                norm.Divisor = config.HiddenSize;
            block.SetAttentionShortcut(Keep($"{name}.{DecoderBlock.AttentionShortcutName}", widths.Before, widths.Between));
            if (names.MlpNorm is not null)
                block.SetMlpShortcut(Keep($"{name}.{DecoderBlock.MlpShortcutName}", widths.Between, widths.After));
        }

        return block;
    }

    private Attention Attention(Place place)
    {
        var (shape, widths) = (place.Shape, place.Widths);
        var group = config.NumAttentionHeads / config.NumKeyValueHeads;
        var (keyDim, valueDim) = (shape.KeyDim ?? config.HeadDim, shape.ValueDim ?? config.HeadDim);
        long keys = shape.KeyValueHeads * keyDim, values = shape.KeyValueHeads * valueDim;
        long reads = shape.Selection?.AttentionReads ?? widths.Before, writes = shape.Selection?.AttentionWrites ?? widths.Between;
        var attention = new Attention
        {
            Query = Linear(place, names.Query, keys * group, reads, config.QueryBias, selected: true),
            Key = Linear(place, names.Key, keys, reads, config.QueryBias, selected: true),
            Value = Linear(place, names.Value, values, reads, config.QueryBias, selected: true),
            Output = Linear(place, names.Output, writes, values * group, config.OutputBias || shape.OutputBiases, selected: false),
            KeyDim = keyDim,
            ValueDim = valueDim,
            Scale = 1 / Math.Sqrt(config.HeadDim),
            Windowed = config.Windowed(place.Index),
        };
        if (shape.KeyDim is not null && config.RotaryDim > 0)
            attention.SetRotaryPairs(Keep($"{place.Name}.{DecoderBlock.RotaryPairsName}", shape.KeyValueHeads, (shape.RotaryDim ?? keyDim) / 2));
        if (shape.Selection is not null)
            attention.Output.SetWrites(Keep($"{attention.Output.Name}.{DecoderBlock.WritesName}", writes), widths.Between);
        return attention;
    }

    private Mlp Mlp(Place place)
    {
        var (shape, widths) = (place.Shape, place.Widths);

        // In a parallel block the MLP reads what the attention reads.
        long width = names.MlpNorm is null ? widths.Before : widths.Between, neurons = shape.IntermediateSize;
        long reads = shape.Selection?.MlpReads ?? width, writes = shape.Selection?.MlpWrites ?? widths.After;
        var mlp = new Mlp
        {
            Gate = names.Gate is null ? null : Linear(place, names.Gate, neurons, reads, config.MlpBias, selected: true),
            Up = Linear(place, names.Up, neurons, reads, config.MlpBias, selected: true),
            Down = Linear(place, names.Down, writes, neurons, config.MlpBias || shape.OutputBiases, selected: false),
            Activation = config.Activation,
        };
        if (shape.Selection is not null)
            mlp.Down.SetWrites(Keep($"{mlp.Down.Name}.{DecoderBlock.WritesName}", writes), widths.After);
        if (shape.Experts is { } experts)
        {
            var router = $"{place.Name}.{DecoderBlock.RouterName}";
            mlp.SetExperts(new Experts(
                new Linear(router, Keep($"{router}.weight", experts.Count, width), null),
                Keep($"{place.Name}.{DecoderBlock.ExpertsName}", experts.Count, experts.Width)));
        }

        return mlp;
    }

    /// <param name="part">Its name within the block.</param>
    /// <param name="selected">Whether it reads some channels only, where the block selects any.</param>
    private Linear Linear(Place place, string part, long rows, long columns, bool biased, bool selected)
    {
        var name = $"{place.Name}.{part}";
        var owner = place.Shape.Shares is null ? name : $"{names.Layer(place.Shape.Shares.Layer)}.{part}";
        var bias = $"{name}.bias";
        if (!biased && has(bias))
            throw new ModelException($"tensor '{bias}' is there, but neither config.json nor {ExportManifest.FileName} tells of it");
        var own = biased ? Keep(bias, rows) : null;
        var linear = place.Owner?.Linears.SingleOrDefault(one => one.Name == owner) is { } shared
            ? new Linear(name, shared, own)
            : new Linear(name, Keep($"{owner}.weight", rows, columns), own);
        if (place.Shape.Shares is { Rank: > 0 and var rank })
        {
            linear.Delta = new LoraAdapter(
                Keep($"{name}.{Models.Linear.DeltaA}", rank, columns), Keep($"{name}.{Models.Linear.DeltaB}", rows, rank), 1, keep: null);
        }

        if (selected && place.Shape.Selection is not null)
            linear.SetReads(Keep($"{name}.{DecoderBlock.ReadsName}", columns));
        return linear;
    }

    /// <summary>A stream that was turned has RMS norms, whatever the architecture's are.</summary>
    private Norm BlockNorm(string name, LayerShape shape, long width) => shape.Widths is null
        ? Norm(name, width)
        : new Norm(name, NormKind.Rms, Keep($"{name}.weight", width), null, config.NormEps);

    private Norm Norm(string name, long width) => new(
        name, config.Norm, Keep($"{name}.weight", width), config.Norm == NormKind.Layer ? Keep($"{name}.bias", width) : null, config.NormEps);

    /// <summary>Those with weights of their own first: others may share those of a block behind them.</summary>
    private DecoderBlock[] Blocks(IReadOnlyList<LayerShape> shapes)
    {
        var built = new DecoderBlock[shapes.Count];
        foreach (var (index, shape) in shapes.Index().OrderBy(shape => shape.Item.Shares is null ? 0 : 1))
            built[index] = Block(index, shape, shape.Shares is null ? null : built[shape.Shares.Layer]);
        return built;
    }

    private Norm OutputNorm(string name) =>
        new(name, NormKind.Layer, Keep($"{name}.weight", config.HiddenSize), null, config.NormEps);

    private Tensor Keep(string name, params long[] shape) => read(name, shape).DetachFromDisposeScope();

    /// <param name="Owner">The block whose weights it shares, if that is there.</param>
    private sealed record Place(int Index, string Name, LayerShape Shape, StreamWidths Widths, DecoderBlock? Owner);
}
