using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Pipelines.Models;

/// <summary>What one block is like, where pruning may have made it differ from the config.</summary>
public sealed record LayerShape
{
    /// <summary>KV heads, each with the config's number of query heads; 0 where the attention was removed.</summary>
    [JsonPropertyName("num_key_value_heads")]
    public required int KeyValueHeads { get; init; }

    /// <summary>Neurons; 0 where the MLP was removed.</summary>
    [JsonPropertyName("intermediate_size")]
    public required int IntermediateSize { get; init; }

    /// <summary>Whether the attention's output and the MLP's have biases that the config does not tell of.</summary>
    [JsonPropertyName("output_biases")]
    public bool OutputBiases { get; init; }

    /// <summary>Channels of a query and of a key head, where they are not the config's head_dim: <c>self_attn.rotary_pairs</c> says which.</summary>
    [JsonPropertyName("qk_dim")]
    public int? KeyDim { get; init; }

    /// <summary>Of them, those that turn with the position, where not all of them do.</summary>
    [JsonPropertyName("rotary_dim")]
    public int? RotaryDim { get; init; }

    /// <summary>Channels of a value head, where they are not head_dim.</summary>
    [JsonPropertyName("v_dim")]
    public int? ValueDim { get; init; }

    /// <summary>Which channels of the residual stream the block reads and writes, where not all: counts; <c>.reads</c> and <c>.writes</c> tensors say which.</summary>
    [JsonPropertyName("selection")]
    public Selection? Selection { get; init; }

    /// <summary>Widths of the residual stream, where they are not the hidden size; then <c>attention_shortcut</c> and, unless the block is parallel, <c>mlp_shortcut</c> tensors join them; norms are RMS norms and still divide by the hidden size.</summary>
    [JsonPropertyName("widths")]
    public StreamWidths? Widths { get; init; }

    /// <summary>The block whose weights this one uses, and how it departs from them; null for weights of its own.</summary>
    [JsonPropertyName("shares")]
    public SharedWeights? Shares { get; init; }

    /// <summary>Experts that the MLP's neurons are divided into: <c>mlp.router</c> and <c>mlp.experts</c> tensors.</summary>
    [JsonPropertyName("experts")]
    public ExpertShape? Experts { get; init; }
}

/// <param name="Layer">The block whose weights these are; one with weights of its own.</param>
/// <param name="Rank">Of the difference of each linear: <c>.delta_a</c> and <c>.delta_b</c> tensors; 0 for none.</param>
public sealed record SharedWeights([property: JsonPropertyName("layer")] int Layer, [property: JsonPropertyName("rank")] int Rank);

/// <param name="Width">Neurons of an expert.</param>
public sealed record ExpertShape([property: JsonPropertyName("count")] int Count, [property: JsonPropertyName("width")] int Width);

/// <summary>Channels that q, k and v read, the attention's output writes, the MLP reads, and the MLP's output writes.</summary>
public sealed record Selection(
    [property: JsonPropertyName("attention_reads")] int AttentionReads,
    [property: JsonPropertyName("attention_writes")] int AttentionWrites,
    [property: JsonPropertyName("mlp_reads")] int MlpReads,
    [property: JsonPropertyName("mlp_writes")] int MlpWrites);

/// <summary>Channels of the residual stream before a block, between its halves, and after it.</summary>
public sealed record StreamWidths(
    [property: JsonPropertyName("before")] int Before,
    [property: JsonPropertyName("between")] int Between,
    [property: JsonPropertyName("after")] int After);

/// <summary>
/// <c>pipelines.json</c> beside a <c>config.json</c> that cannot say all of a model: what each block is like.
/// </summary>
public static class ExportManifest
{
    public const string FileName = "pipelines.json";

    private const int Format = 2;

    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        IndentSize = 2,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <returns>What the manifest in the folder says, or the config's widths for every block when there is none.</returns>
    /// <exception cref="ModelException">The manifest cannot be read or disagrees with the config.</exception>
    public static IReadOnlyList<LayerShape> Read(string folder, CausalConfig config)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return Plain(config);
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();

            // Format 1 knew fewer properties, all of which mean the same here.
            if (json["format"]?.GetValue<int>() is var format && format is not (1 or Format))
                throw new ModelException($"{path}: format is {format}: this program reads {Format}");
            var layers = json["layers"].Deserialize<LayerShape[]>(Options)!;
            return layers.Length == config.NumHiddenLayers
                ? layers
                : throw new ModelException(
                    $"{path}: lists {layers.Length} layers, but config.json says num_hidden_layers {config.NumHiddenLayers}");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new ModelException($"{path}: expected a manifest of format {Format}: {error.Message}", error);
        }
    }

    /// <summary>The config's widths for every block.</summary>
    public static IReadOnlyList<LayerShape> Plain(CausalConfig config) =>
    [
        .. Enumerable.Repeat(
            new LayerShape { KeyValueHeads = config.NumKeyValueHeads, IntermediateSize = config.IntermediateSize },
            config.NumHiddenLayers),
    ];

    public static string Write(IEnumerable<LayerShape> layers) =>
        new JsonObject { ["format"] = Format, ["layers"] = JsonSerializer.SerializeToNode(layers, Options) }
            .ToJsonString(Options) + "\n";
}
