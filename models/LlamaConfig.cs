using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Models;

/// <summary>
/// A Llama's <c>config.json</c>, field by field under the checkpoint's own names; what is not known here is kept and
/// written back.
/// </summary>
public sealed class LlamaConfig
{
    private readonly JsonObject json;

    private LlamaConfig(JsonObject json) => this.json = json;

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int NumHiddenLayers { get; init; }

    public required int NumAttentionHeads { get; init; }

    public required int NumKeyValueHeads { get; init; }

    public required int HeadDim { get; init; }

    public required int VocabSize { get; init; }

    public required int MaxPositionEmbeddings { get; init; }

    public required double RmsNormEps { get; init; }

    public required double RopeTheta { get; init; }

    public required RopeScaling? RopeScaling { get; init; }

    public required bool TieWordEmbeddings { get; init; }

    public required bool AttentionBias { get; init; }

    public required bool MlpBias { get; init; }

    /// <summary>The first of <c>architectures</c>.</summary>
    public required string Architecture { get; init; }

    /// <exception cref="ModelException">The file is missing, no JSON object, or describes no Llama that runs here.</exception>
    public static LlamaConfig Read(string path)
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

    /// <summary>The defaults are those of transformers' LlamaConfig.</summary>
    /// <param name="path">For messages.</param>
    public static LlamaConfig Parse(string path, JsonObject json)
    {
        var fields = new ConfigFields(path, json);
        var type = fields.Text("model_type", "llama");
        if (type != "llama")
            throw new ModelException($"{path}: model_type is '{type}': expected 'llama'");
        var activation = fields.Text("hidden_act", "silu");
        if (activation != "silu")
            throw new ModelException($"{path}: hidden_act is '{activation}': expected 'silu'");

        var heads = fields.Size("num_attention_heads");
        var hidden = fields.Size("hidden_size");
        var keyValueHeads = fields.Size("num_key_value_heads", heads);
        var headDim = fields.Size("head_dim", hidden / heads);
        if (heads % keyValueHeads != 0)
        {
            throw new ModelException(
                $"{path}: num_attention_heads is {heads}, no multiple of num_key_value_heads, {keyValueHeads}");
        }

        if (headDim % 2 != 0)
            throw new ModelException($"{path}: head_dim is {headDim}: rotary embedding needs an even one");

        return new LlamaConfig(json)
        {
            Architecture = json["architectures"] is JsonArray { Count: > 0 } names
                ? names[0]!.GetValue<string>()
                : "LlamaForCausalLM",
            HiddenSize = hidden,
            IntermediateSize = fields.Size("intermediate_size"),
            NumHiddenLayers = fields.Size("num_hidden_layers"),
            NumAttentionHeads = heads,
            NumKeyValueHeads = keyValueHeads,
            HeadDim = headDim,
            VocabSize = fields.Size("vocab_size"),
            MaxPositionEmbeddings = fields.Size("max_position_embeddings", 2048),
            RmsNormEps = fields.Number("rms_norm_eps", 1e-6),
            RopeTheta = fields.Number("rope_theta", 10_000),
            RopeScaling = RopeScaling.Parse(path, json["rope_scaling"]),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", false),
            AttentionBias = fields.Flag("attention_bias", false),
            MlpBias = fields.Flag("mlp_bias", false),
        };
    }

    /// <summary>The whole document as it was read, with these fields set on top.</summary>
    public string Write(params ReadOnlySpan<(string Name, JsonNode? Value)> changed)
    {
        var written = json.DeepClone().AsObject();
        foreach (var (name, value) in changed)
            written[name] = value;
        return written.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 2 }) + "\n";
    }
}

/// <summary>Typed access to a config's fields; a wrong type is an error that names the field.</summary>
internal sealed class ConfigFields(string path, JsonObject json)
{
    /// <summary>A positive whole number.</summary>
    public int Size(string name, int? standard = null)
    {
        var value = json[name];
        if (value is null)
            return standard ?? throw new ModelException($"{path}: {name} is missing");
        return value is JsonValue number && number.TryGetValue<int>(out var size) && size > 0
            ? size
            : throw Wrong(name, value, "a positive whole number");
    }

    public double Number(string name, double standard) => json[name] switch
    {
        null => standard,
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => value.GetValue<double>(),
        var other => throw Wrong(name, other, "a number"),
    };

    public bool Flag(string name, bool standard) => json[name] switch
    {
        null => standard,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        var other => throw Wrong(name, other, "true or false"),
    };

    public string Text(string name, string standard) => json[name] switch
    {
        null => standard,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        var other => throw Wrong(name, other, "a text"),
    };

    private ModelException Wrong(string name, JsonNode value, string expected) =>
        new($"{path}: {name} is {value.ToJsonString()}: expected {expected}");
}
