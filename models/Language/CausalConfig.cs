using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Models;

/// <summary>
/// A decoder-only language model's <c>config.json</c>, in terms that all architectures share; what is not known here is
/// kept and written back.
/// </summary>
public sealed class CausalConfig
{
    private static readonly Dictionary<string, Func<ConfigFields, CausalConfig>> Architectures = new()
    {
        ["llama"] = LlamaArchitecture.Read,
        ["mistral"] = MistralArchitecture.Read,
        ["qwen2"] = Qwen2Architecture.Read,
        ["opt"] = OptArchitecture.Read,
        ["phi"] = PhiArchitecture.Read,
    };

    private readonly JsonObject json;

    internal CausalConfig(ConfigFields fields) => json = fields.Json;

    /// <summary>The first of <c>architectures</c>: <c>LlamaForCausalLM</c>.</summary>
    public required string Architecture { get; init; }

    public required TensorNames Names { get; init; }

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int NumHiddenLayers { get; init; }

    public required int NumAttentionHeads { get; init; }

    public required int NumKeyValueHeads { get; init; }

    public required int HeadDim { get; init; }

    public required int VocabSize { get; init; }

    public required int MaxPositionEmbeddings { get; init; }

    public required NormKind Norm { get; init; }

    public required double NormEps { get; init; }

    public required Activation Activation { get; init; }

    public required bool TieWordEmbeddings { get; init; }

    /// <summary>Channels of a head that turn with the position; 0 for a model without a rotary embedding.</summary>
    public int RotaryDim { get; init; }

    public double RopeTheta { get; init; } = 10_000;

    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Keys that a query sees, itself among them; null for all before it.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>The first block with a sliding window, where <see cref="WindowedLayers"/> does not say which have one.</summary>
    public int FirstWindowedLayer { get; init; }

    /// <summary>Whether a block has a sliding window, by its index; null where all have one from <see cref="FirstWindowedLayer"/> on.</summary>
    public IReadOnlyList<bool>? WindowedLayers { get; init; }

    /// <summary>Whether q, k and v have biases.</summary>
    public bool QueryBias { get; init; }

    /// <summary>Whether the attention's output has a bias.</summary>
    public bool OutputBias { get; init; }

    public bool MlpBias { get; init; }

    public bool HeadBias { get; init; }

    /// <summary>Rows of the position embedding before that of position 0.</summary>
    public int PositionOffset { get; init; }

    /// <summary>Whether a plain config can name a number of heads that does not make up the hidden size (<c>head_dim</c>).</summary>
    public bool StatesHeadDim { get; init; }

    /// <summary>The field that holds the width of an MLP.</summary>
    public string IntermediateField { get; init; } = "intermediate_size";

    /// <summary>Whether the queries of a block see a window of keys only.</summary>
    public bool Windowed(int layer) => SlidingWindow is not null && (WindowedLayers?[layer] ?? layer >= FirstWindowedLayer);

    /// <exception cref="ModelException">The file is missing, no JSON object, or describes nothing that runs here.</exception>
    public static CausalConfig Read(string path)
    {
        try
        {
            return Parse(path, JsonNode.Parse(File.ReadAllText(path)) as JsonObject
                ?? throw new ModelException($"{path}: expected a JSON object"));
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{path}: {error.Message}", error);
        }
    }

    /// <summary>The defaults are those of transformers.</summary>
    /// <param name="path">For messages.</param>
    public static CausalConfig Parse(string path, JsonObject json)
    {
        var fields = new ConfigFields(path, json);
        var type = fields.Text("model_type", "llama");
        if (!Architectures.TryGetValue(type, out var read))
            throw new ModelException($"{path}: model_type is '{type}': expected {string.Join(", ", Architectures.Keys)}");
        var config = read(fields);
        if (config.NumAttentionHeads % config.NumKeyValueHeads != 0)
        {
            throw new ModelException(
                $"{path}: num_attention_heads is {config.NumAttentionHeads}, no multiple of num_key_value_heads, {config.NumKeyValueHeads}");
        }

        return config.RotaryDim % 2 == 0
            ? config
            : throw new ModelException($"{path}: {config.RotaryDim} channels of a head turn: rotary embedding needs an even number");
    }

    /// <summary>The whole document as it was read, with these fields set on top.</summary>
    public string Write(params ReadOnlySpan<(string Name, JsonNode? Value)> changed)
    {
        var written = json.DeepClone().AsObject();
        foreach (var (name, value) in changed)
            written[name] = value;
        return written.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 2 }) + "\n";
    }

    internal static string Named(ConfigFields fields, string standard) =>
        fields.Json["architectures"] is JsonArray { Count: > 0 } names ? names[0]!.GetValue<string>() : standard;
}
