using System.Text.Json;

namespace Pipelines.Models;

/// <summary>A JSON value that knows its name in the file, so that a wrong kind of value is told by name.</summary>
internal sealed class TokenizerNode(JsonElement element, string name, Func<string, TokenizerException> fail)
{
    public bool IsArray => element.ValueKind == JsonValueKind.Array;

    public bool IsZero => element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out double value) && value == 0;

    public string TypeName => Required("type").Text();

    public TokenizerNode Required(string property) => Optional(property) ?? throw fail($"{name} has no {property}");

    /// <summary>Null where the property is missing or null.</summary>
    public TokenizerNode? Optional(string property)
    {
        Expect(JsonValueKind.Object, "an object");
        return element.TryGetProperty(property, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? new TokenizerNode(value, property, fail)
            : null;
    }

    /// <summary>Null where the property is missing, null or empty; older files write "" for null.</summary>
    public string? OptionalText(string property) => Optional(property)?.Text() is { Length: > 0 } text ? text : null;

    public bool Flag(string property, bool missing = false)
    {
        if (Optional(property) is not { } flag)
            return missing;
        return flag.Boolean();
    }

    public string Text()
    {
        Expect(JsonValueKind.String, "a string");
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw fail($"{name} is not valid Unicode");
        }
    }

    /// <summary>Null where the value is no 32-bit integer.</summary>
    public int? Integer() =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int value) ? value : null;

    public IEnumerable<TokenizerNode> Items()
    {
        Expect(JsonValueKind.Array, "an array");
        return element.EnumerateArray().Select(item => new TokenizerNode(item, $"an item of {name}", fail));
    }

    public IEnumerable<(string Name, TokenizerNode Value)> Properties()
    {
        Expect(JsonValueKind.Object, "an object");
        return element.EnumerateObject().Select(property => (NameOf(property), new TokenizerNode(property.Value, name, fail)));
    }

    private string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw fail($"a key of {name} is not valid Unicode");
        }
    }

    private bool Boolean() => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw fail($"{name} is not true or false"),
    };

    private void Expect(JsonValueKind kind, string description)
    {
        if (element.ValueKind != kind)
            throw fail($"{name} is not {description}");
    }
}
