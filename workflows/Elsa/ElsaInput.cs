using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Pipelines.Workflows.Elsa;

/// <summary>A value in Elsa's clothing: <c>{ "typeName": "Double", "expression": { "type": "Literal", "value": 0.5 } }</c>.</summary>
internal static partial class ElsaInput
{
    private static readonly string[] Integers = ["Int16", "Int32", "Int64", "Long"];
    private static readonly string[] Reals = ["Single", "Double", "Decimal"];

    public enum Found
    {
        /// <summary>Unset.</summary>
        Nothing,
        Value,

        /// <summary>To be computed by Elsa, or of a shape of its own.</summary>
        Foreign,
    }

    public static Found Read(JsonNode? property, out JsonNode? value)
    {
        value = null;
        if (property is null)
            return Found.Nothing;
        if (property is JsonValue)
        {
            value = property;
            return Found.Value;
        }

        if (property is not JsonObject input)
            return Found.Foreign;
        if (input["expression"] is not JsonObject expression)
            return input.ContainsKey("memoryReference") ? Found.Nothing : Found.Foreign;
        if (!expression.TryGetPropertyValue("value", out var written))
            return expression.Text("type") == "Literal" ? Found.Nothing : Found.Foreign;
        switch (expression.Text("type"))
        {
            case "Literal":
                value = Typed(written, input.Text("typeName"));
                return Found.Value;
            case "Object" or "Json" when written.AsText() is { } text:
                return ElsaText.TryParse(text, out value) ? Found.Value : Found.Foreign;
            case "Object" or "Json" when written is JsonObject or JsonArray:
                value = written;
                return Found.Value;
            default:
                return Found.Foreign;
        }
    }

    /// <param name="before">What stands there, of which everything that still fits is kept.</param>
    public static JsonNode Write(JsonNode? before, JsonNode? value)
    {
        if (before is JsonValue && value is JsonValue)
            return value.DeepClone();
        var isTree = value is JsonObject or JsonArray;
        var input = before?.DeepClone() as JsonObject ?? [];
        if (!Fits(input.Text("typeName"), value))
            input["typeName"] = TypeName(value);
        var expression = input.Make("expression");
        expression["type"] = isTree ? "Object" : "Literal";
        expression["value"] = isTree ? value!.ToJsonString(Json.Options) : value?.DeepClone();
        return input;
    }

    /// <summary>Elsa's name for the type of a value.</summary>
    public static string TypeName(JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.String => "String",
        JsonValueKind.True or JsonValueKind.False => "Boolean",
        JsonValueKind.Number => IsInteger(value) ? "Int64" : "Double",
        _ => "Object",
    };

    /// <summary>The parameter's type for one of Elsa's; null where there is none.</summary>
    public static ParameterType? TypeOf(string? name, bool isList) => name switch
    {
        null => null,
        _ when isList || name.EndsWith("[]", StringComparison.Ordinal) => ParameterType.List,
        "String" => ParameterType.Text,
        "Boolean" => ParameterType.Boolean,
        _ when Integers.Contains(name) => ParameterType.Integer,
        _ when Reals.Contains(name) => ParameterType.Number,
        _ => null,
    };

    /// <summary>Elsa writes many values as texts; here they are what their type says.</summary>
    public static JsonNode? Typed(JsonNode? written, string? typeName)
    {
        if (written.AsText() is not { } text)
            return written;
        if ((Integers.Contains(typeName) || Reals.Contains(typeName)) && Number().IsMatch(text))
            return JsonNode.Parse(text);
        if (typeName == "Boolean" && bool.TryParse(text, out var flag))
            return flag;
        return written;
    }

    private static bool Fits(string? typeName, JsonNode? value) => typeName is not null && value?.GetValueKind() switch
    {
        JsonValueKind.Number => Reals.Contains(typeName) || (Integers.Contains(typeName) && IsInteger(value)),
        JsonValueKind.True or JsonValueKind.False => typeName == "Boolean",
        // A text can stand for what Elsa converts from it: a time span, an address.
        JsonValueKind.String => !Integers.Contains(typeName) && !Reals.Contains(typeName) && typeName != "Boolean",
        _ => true,
    };

    private static bool IsInteger(JsonNode value) => !value.ToJsonString().AsSpan().ContainsAny(".eE");

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z")]
    private static partial Regex Number();
}
