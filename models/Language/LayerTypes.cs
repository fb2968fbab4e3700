using System.Text.Json.Nodes;

namespace Pipelines.Models;

/// <summary>
/// Which blocks have a sliding window, as transformers says it: <c>max_window_layers</c>, the first that has one, or
/// <c>layer_types</c>, a list that goes before it.
/// </summary>
internal static class LayerTypes
{
    private const string Field = "layer_types";
    private const string Full = "full_attention";
    private const string Window = "sliding_attention";

    /// <returns>Whether a block has a window; null for a config without a list.</returns>
    /// <exception cref="ModelException">The list has another length than the model, or names what does not run here.</exception>
    public static IReadOnlyList<bool>? Read(ConfigFields fields)
    {
        if (fields.Json[Field] is not { } list)
            return null;
        if (list is not JsonArray types || types.Any(type => !Is(type, Full) && !Is(type, Window)))
            throw fields.Wrong(Field, list, $"{Full} or {Window} for each block");
        var layers = fields.Size("num_hidden_layers");
        return types.Count == layers
            ? [.. types.Select(type => Is(type, Window))]
            : throw new ModelException($"{fields.Path}: {Field} lists {types.Count} blocks, but num_hidden_layers is {layers}");
    }

    /// <summary>What a config has to say so that its blocks have the windows that the model's have.</summary>
    /// <returns>Nothing where the config that the model came from says it.</returns>
    public static IEnumerable<(string Name, JsonNode? Value)> Write(CausalLM model)
    {
        if (model.Config.SlidingWindow is null)
            return [];

        // A block without attention has no window to be wrong about.
        var windows = model.Blocks.Select(block => block.Attention?.Windowed).ToArray();
        if (model.Config.WindowedLayers is null)
        {
            if (From(model.Config.FirstWindowedLayer))
                return [];
            var first = Array.IndexOf(windows, true);
            if (From(first < 0 ? windows.Length : first))
                return [("max_window_layers", first < 0 ? windows.Length : first)];
        }

        return [(Field, new JsonArray([.. windows.Select(windowed => (JsonNode)(windowed == true ? Window : Full))]))];

        bool From(int first) => !windows.Index().Any(window => window.Item is { } windowed && windowed != window.Index >= first);
    }

    private static bool Is(JsonNode? type, string name) => type is JsonValue value && value.TryGetValue<string>(out var text) && text == name;
}
