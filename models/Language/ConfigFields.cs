using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Models;

/// <summary>Typed access to a config's fields; a wrong type is an error that names the field.</summary>
/// <param name="path">For messages.</param>
internal sealed class ConfigFields(string path, JsonObject json)
{
    public string Path => path;

    public JsonObject Json => json;

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

    /// <summary>A whole number that may be 0.</summary>
    public int Count(string name, int standard) => json[name] switch
    {
        null => standard,
        JsonValue value when value.TryGetValue<int>(out var count) && count >= 0 => count,
        var other => throw Wrong(name, other, "a whole number that is not negative"),
    };

    public double Number(string name, double standard) => json[name] switch
    {
        null => standard,
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => value.Deserialize<double>(),
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

    /// <exception cref="ModelException">The field has another value, which does not run here.</exception>
    public void Only(string name, bool supported)
    {
        if (Flag(name, supported) != supported)
            throw Wrong(name, json[name]!, supported ? "true" : "false");
    }

    public ModelException Wrong(string name, JsonNode value, string expected) =>
        new($"{path}: {name} is {value.ToJsonString()}: expected {expected}");
}
