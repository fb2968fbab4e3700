using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Models;

/// <summary>The widths of one block, which pruning may make differ from those of the config.</summary>
/// <param name="KeyValueHeads">KV heads; each has the config's number of query heads.</param>
/// <param name="OutputBiases">Whether <c>o_proj</c> and <c>down_proj</c> have biases that the config does not tell of.</param>
public sealed record LayerShape(int KeyValueHeads, int IntermediateSize, bool OutputBiases);

/// <summary>
/// <c>pipelines.json</c> beside a <c>config.json</c> that cannot say all of a model: the widths of each block.
/// </summary>
public static class ExportManifest
{
    public const string FileName = "pipelines.json";

    private const int Format = 1;

    /// <returns>What the manifest in the folder says, or the config's widths for every block when there is none.</returns>
    /// <exception cref="ModelException">The manifest cannot be read or disagrees with the config.</exception>
    public static IReadOnlyList<LayerShape> Read(string folder, LlamaConfig config)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return Plain(config);
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            if (json["format"]?.GetValue<int>() is var format && format != Format)
                throw new ModelException($"{path}: format is {format}: this program reads {Format}");
            var layers = json["layers"]!.AsArray().Select(layer => new LayerShape(
                layer!["num_key_value_heads"]!.GetValue<int>(), layer["intermediate_size"]!.GetValue<int>(),
                layer["output_biases"]!.GetValue<bool>())).ToArray();
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
    public static IReadOnlyList<LayerShape> Plain(LlamaConfig config) =>
    [
        .. Enumerable.Repeat(
            new LayerShape(config.NumKeyValueHeads, config.IntermediateSize, OutputBiases: false), config.NumHiddenLayers),
    ];

    public static string Write(IEnumerable<LayerShape> layers)
    {
        var json = new JsonObject
        {
            ["format"] = Format,
            ["layers"] = new JsonArray([.. layers.Select(layer => (JsonNode)new JsonObject
            {
                ["num_key_value_heads"] = layer.KeyValueHeads,
                ["intermediate_size"] = layer.IntermediateSize,
                ["output_biases"] = layer.OutputBiases,
            })]),
        };
        return json.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 2 }) + "\n";
    }
}
