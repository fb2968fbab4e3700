using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// Reads and writes a language model in Hugging Face's layout: <c>config.json</c>, safetensors, and <c>pipelines.json</c>
/// where a plain config cannot say what the blocks are like.
/// </summary>
public static class CausalFolder
{
    /// <summary>
    /// The tensors of the folder's files. On the CPU they are views of the mapped files: nothing is read before it is used.
    /// Half precision is the exception: there the CPU's operators are slow or absent, so float32 computes with its values.
    /// </summary>
    /// <param name="dtype">What the values are rounded to, and saved as; null for the file's own.</param>
    /// <exception cref="ModelException">The config disagrees with the tensors, or describes something that does not run here.</exception>
    /// <exception cref="SafetensorsException">A file is malformed, or there is none.</exception>
    public static CausalLM Load(string folder, Device device, ScalarType? dtype = null)
    {
        using var source = CausalSource.Open(folder, device, dtype);
        return source.Load();
    }

    /// <summary>A new model with Hugging Face's initial weights: normal with deviation 0.02, norms 1, biases 0.</summary>
    public static CausalLM Create(CausalConfig config, long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        return new CausalAssembly(config, Initial, _ => false).Build(ExportManifest.Plain(config));

        Tensor Initial(string name, long[] shape) => shape.Length > 1
            ? empty(shape).normal_(0, 0.02, generator: generator)
            : name.EndsWith(".bias", StringComparison.Ordinal) ? zeros(shape) : ones(shape);
    }

    /// <summary>Writes config, tensors, and the manifest if one is needed. Equal models give equal bytes.</summary>
    /// <returns>Whether a manifest was needed.</returns>
    public static bool Save(CausalLM model, string folder)
    {
        var shapes = model.Blocks.Select(block => Shape(model, block)).ToArray();
        var plain = PlainConfig(model, shapes);
        File.WriteAllText(Path.Combine(folder, "config.json"), model.Config.Write([.. plain ?? [], .. LayerTypes.Write(model), .. Common(model, plain is null)]));
        if (plain is null)
            File.WriteAllText(Path.Combine(folder, ExportManifest.FileName), ExportManifest.Write(shapes));

        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"),
            [
                .. model.NamedParameters().Select(parameter => TensorSource.Of(parameter.Name, parameter.Tensor, model.FileType(parameter.Name))),
                .. model.NamedBuffers().Select(buffer => TensorSource.Of(buffer.Name, buffer.Tensor)),
            ],
            new Dictionary<string, string> { ["format"] = "pt" });
        return plain is null;
    }

    private static (string Name, JsonNode? Value)[] Common(CausalLM model, bool manifest) =>
    [
        ("num_hidden_layers", model.Blocks.Count),
        ("tie_word_embeddings", model.Head is null),
        ("torch_dtype", model.FileType($"{model.Config.Names.Embedding}.weight").ToString().ToLowerInvariant()),
        ("pipelines_manifest", manifest ? (JsonNode)ExportManifest.FileName : null),
    ];

    /// <summary>What a plain config has to say of the blocks; null where it cannot.</summary>
    private static (string Name, JsonNode? Value)[]? PlainConfig(CausalLM model, LayerShape[] shapes)
    {
        var config = model.Config;
        if (shapes.Distinct().Count() != 1)
            return null;
        var (groups, neurons) = (shapes[0].KeyValueHeads, shapes[0].IntermediateSize);
        if (groups == 0 || neurons == 0 || shapes[0] != new LayerShape { KeyValueHeads = groups, IntermediateSize = neurons })
            return null;
        if (groups == config.NumKeyValueHeads)
            return [(config.IntermediateField, neurons)];
        return config.StatesHeadDim
            ?
            [
                (config.IntermediateField, neurons), ("head_dim", config.HeadDim), ("num_key_value_heads", groups),
                ("num_attention_heads", groups * (config.NumAttentionHeads / config.NumKeyValueHeads)),
            ]
            : null;
    }

    private static LayerShape Shape(CausalLM model, DecoderBlock block) => Shape(model.Config, block) with
    {
        Shares = block.Linears.FirstOrDefault(linear => linear.Shared is not null) is { } linear
            ? new SharedWeights(Owner(model, linear.Shared!), (int)(linear.Delta?.A.shape[0] ?? 0))
            : null,
    };

    private static int Owner(CausalLM model, Linear shared) => model.Blocks.Index().First(block => block.Item.Linears.Contains(shared)).Index;

    private static LayerShape Shape(CausalConfig config, DecoderBlock block) => new()
    {
        KeyValueHeads = block.Attention?.KeyValueHeads ?? 0,
        IntermediateSize = block.Mlp?.IntermediateSize ?? 0,
        OutputBiases = (block.Attention?.Output.Bias is not null && !config.OutputBias) || (block.Mlp?.Down.Bias is not null && !config.MlpBias),
        KeyDim = block.Attention?.KeyDim is { } keyDim && keyDim != config.HeadDim ? keyDim : null,
        RotaryDim = block.Attention is { RotaryPairs: { } pairs, KeyDim: var dim } && 2 * pairs.shape[1] != dim ? (int)(2 * pairs.shape[1]) : null,
        ValueDim = block.Attention?.ValueDim is { } valueDim && valueDim != config.HeadDim ? valueDim : null,
        Selection = Selected(block),
        Widths = block.AttentionShortcut is { } attention
            ? new StreamWidths((int)attention.shape[0], (int)attention.shape[1], (int)(block.MlpShortcut ?? attention).shape[1])
            : null,
        Experts = block.Mlp?.Experts is { } experts ? new ExpertShape(experts.Count, experts.Width) : null,
    };

    private static Selection? Selected(DecoderBlock block) => block.Linears.Any(linear => linear.Reads is not null || linear.Writes is not null)
        ? new Selection(Reads(block.Attention?.Query), Writes(block.Attention?.Output), Reads(block.Mlp?.Up), Writes(block.Mlp?.Down))
        : null;

    private static int Reads(Linear? linear) => (int)(linear?.Reads?.shape[0] ?? 0);

    private static int Writes(Linear? linear) => (int)(linear?.Writes?.shape[0] ?? 0);
}
