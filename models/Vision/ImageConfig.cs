using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Models;

/// <summary>
/// An image classifier's <c>config.json</c>: <c>architectures</c>, and what that architecture asks for (<c>depth</c>,
/// <c>shortcut</c>), <c>num_classes</c>, <c>image_size</c>, <c>image_mean</c>, <c>image_std</c>; what is not known here is kept
/// and written back.
/// </summary>
public sealed class ImageConfig
{
    private static readonly Dictionary<string, (Func<ConfigFields, int, int, VisionGraph> Build, int Classes, int Size)> Architectures = new()
    {
        ["CifarResNet"] = (CifarResNet.Build, 10, 32),
        ["CifarVgg"] = (CifarVgg.Build, 10, 32),
        ["ResNet"] = (ImageNetResNet.Build, 1000, 224),
        ["MobileNetV2"] = (MobileNetV2.Build, 1000, 224),
    };

    // Of ImageNet: what the networks of both data sets are usually given.
    private static readonly double[] StandardMean = [0.485, 0.456, 0.406];
    private static readonly double[] StandardDeviation = [0.229, 0.224, 0.225];

    private readonly JsonObject json;

    /// <summary>For a network of one's own: it runs and is cut, but a folder of it cannot be loaded by its name.</summary>
    public ImageConfig(string architecture, VisionGraph graph)
        : this(architecture, graph, new ConfigFields("config.json", new JsonObject { ["architectures"] = new JsonArray(architecture) }))
    {
    }

    private ImageConfig(string architecture, VisionGraph graph, ConfigFields fields)
    {
        (Architecture, Graph, json) = (architecture, graph, fields.Json);
        Mean = Channels(fields, "image_mean", StandardMean);
        StandardDeviations = Channels(fields, "image_std", StandardDeviation);
    }

    /// <summary>The first of <c>architectures</c>: <c>CifarResNet</c>.</summary>
    public string Architecture { get; }

    public VisionGraph Graph { get; }

    public int NumClasses => Graph.Output.Channels;

    public int ImageSize => Graph.ImageSize;

    /// <summary>Of each colour, subtracted from pixels between 0 and 1.</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>Of each colour, what pixels are divided by then.</summary>
    public IReadOnlyList<double> StandardDeviations { get; }

    /// <summary>Whether an architecture is one of these.</summary>
    public static bool Knows(string architecture) => Architectures.ContainsKey(architecture);

    /// <summary>Whether the folder's config names an architecture of these; false where it cannot be read.</summary>
    public static bool IsIn(string folder)
    {
        try
        {
            return Knows(Named(JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json"))) as JsonObject) ?? "");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <exception cref="ModelException">The file is missing, no JSON object, or describes nothing that runs here.</exception>
    public static ImageConfig Read(string path)
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

    /// <param name="path">For messages.</param>
    public static ImageConfig Parse(string path, JsonObject json)
    {
        var fields = new ConfigFields(path, json);
        var name = Named(json) ?? throw new ModelException($"{path}: architectures is missing: expected one of {string.Join(", ", Architectures.Keys)}");
        if (!Architectures.TryGetValue(name, out var known))
            throw new ModelException($"{path}: architectures names '{name}': expected one of {string.Join(", ", Architectures.Keys)}");
        try
        {
            return new ImageConfig(name, known.Build(fields, fields.Size("image_size", known.Size), fields.Size("num_classes", known.Classes)), fields);
        }
        catch (ModelException error) when (!error.Message.StartsWith(path, StringComparison.Ordinal))
        {
            // What the builder says, it says of the config.
            throw new ModelException($"{path}: {error.Message}", error);
        }
    }

    /// <summary>The whole document as it was read, with these fields set on top.</summary>
    public string Write(params ReadOnlySpan<(string Name, JsonNode? Value)> changed)
    {
        var written = json.DeepClone().AsObject();
        foreach (var (name, value) in changed)
            written[name] = value;
        return written.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 2 }) + "\n";
    }

    private static string? Named(JsonObject? json) =>
        json?["architectures"] is JsonArray { Count: > 0 } names && names[0] is JsonValue value && value.TryGetValue<string>(out var name) ? name : null;

    private static double[] Channels(ConfigFields fields, string name, double[] standard)
    {
        if (fields.Json[name] is not { } given)
            return standard;
        return given is JsonArray { Count: VisionGraph.ImageChannels } values
            && values.All(value => value?.GetValueKind() == JsonValueKind.Number)
            ? [.. values.Select(value => value.Deserialize<double>())]
            : throw fields.Wrong(name, given, "three numbers");
    }
}
