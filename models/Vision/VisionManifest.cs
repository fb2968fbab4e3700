using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Pipelines.Models;

/// <summary>
/// <c>pipelines.json</c> beside the <c>config.json</c> of an image network that was cut: how wide its layers are now, and which
/// channels its zero-padded shortcuts pass on.
/// </summary>
/// <param name="Channels">Outputs of convolutions and linears, by name, where they are not those of an uncut network.</param>
/// <param name="Shortcuts">Of each output channel of a zero-padded shortcut the input channel that it is, or −1 for zeros; by name, where they are not those of an uncut network.</param>
internal sealed record VisionManifest(
    [property: JsonPropertyName("channels")] IReadOnlyDictionary<string, int> Channels,
    [property: JsonPropertyName("shortcuts")] IReadOnlyDictionary<string, long[]> Shortcuts)
{
    public const string FileName = ExportManifest.FileName;

    // One number for the file, whichever family it is of.
    private const int Format = 2;

    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        IndentSize = 2,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>What the shortcuts of an uncut network pass on.</summary>
    public static long[] Plain(VisionGraph graph, VisionNode node)
    {
        var (channels, before) = (graph.Input(node).Channels, ((Operation.PadShortcut)node.Operation).Before);
        return [.. Enumerable.Range(0, node.Channels).Select(output => output - before >= 0 && output - before < channels ? output - before : -1L)];
    }

    /// <summary>Null for a network that is as wide as its config says.</summary>
    public static VisionManifest? Of(ImageClassifier network)
    {
        var channels = network.Graph.Nodes.Where(node => IsWide(node) && network.Widths[node.Index] != node.Channels)
            .ToDictionary(node => node.Name, node => network.Widths[node.Index]);
        var shortcuts = network.Shortcuts().Select(shortcut => (shortcut.Node, Sources: shortcut.Sources.cpu().data<long>().ToArray()))
            .Where(shortcut => !shortcut.Sources.SequenceEqual(Plain(network.Graph, network.Graph.Nodes.Single(node => node.Name == shortcut.Node))))
            .ToDictionary(shortcut => shortcut.Node, shortcut => shortcut.Sources);
        return channels.Count == 0 && shortcuts.Count == 0 ? null : new VisionManifest(channels, shortcuts);
    }

    /// <returns>Null where the folder has none.</returns>
    /// <exception cref="ModelException">The manifest cannot be read, or names what the network does not have.</exception>
    public static VisionManifest? Read(string folder, VisionGraph graph)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            if (json["format"]?.GetValue<int>() is var format && format is not Format)
                throw new ModelException($"{path}: format is {format}: this program reads {Format}");
            json.Remove("format");
            var manifest = json.Deserialize<VisionManifest>(Options)!;
            var convolutions = graph.Nodes.Where(IsWide).Select(node => node.Name);
            var padded = graph.Nodes.Where(node => node.Operation is Operation.PadShortcut).Select(node => node.Name);
            return manifest.Channels.Keys.Except(convolutions).Concat(manifest.Shortcuts.Keys.Except(padded)).FirstOrDefault() is { } unknown
                ? throw new ModelException($"{path}: names '{unknown}', which this architecture does not have")
                : manifest;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new ModelException($"{path}: expected a manifest of format {Format}: {error.Message}", error);
        }
    }

    public string Write()
    {
        var json = new JsonObject { ["format"] = Format };
        foreach (var (name, value) in JsonSerializer.SerializeToNode(this, Options)!.AsObject())
            json[name] = value!.DeepClone();
        return json.ToJsonString(Options) + "\n";
    }

    /// <exception cref="ModelException">A layer is not as wide as the manifest says.</exception>
    public void Check(ImageClassifier network, string folder)
    {
        foreach (var node in network.Graph.Nodes.Where(IsWide))
        {
            var (said, found) = (Channels.TryGetValue(node.Name, out var width) ? width : node.Channels, network.Widths[node.Index]);
            if (said != found)
                throw new ModelException($"{folder}: tensor '{node.Weight}' has {found} outputs; {FileName} says {said}");
        }
    }

    private static bool IsWide(VisionNode node) => node.Operation is Operation.Convolution { Depthwise: false } or Operation.Linear;
}
