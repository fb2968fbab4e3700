using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;

namespace Pipelines.Workflows;

/// <summary>Reads the form of an activity from its parameters record, and checks values against it.</summary>
internal static class ParameterSchema
{
    private static readonly JsonSchemaExporterOptions Exporter = new()
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = Describe,
    };

    /// <summary>
    /// JSON schema with names, types, defaults, ranges and descriptions. Defaults are only seen on positional records.
    /// </summary>
    public static JsonNode Of<T>() => Json.Options.GetJsonSchemaAsNode(typeof(T), Exporter);

    /// <summary>Reads, checks every annotation, and writes the parameters back complete.</summary>
    public static CheckedParameters Check<T>(JsonElement json)
        where T : class
    {
        // A number that no double holds reads as infinity, which cannot be written again.
        foreach (var (name, value) in json.EnumerateObject().Select(property => (property.Name, property.Value)))
        {
            if (value.ValueKind == JsonValueKind.Number && !double.IsFinite(value.GetDouble()))
                return new CheckedParameters(json, [$"parameter '{name}' is {value.GetRawText()}: too large"]);
        }

        T parameters;
        try
        {
            parameters = Json.Read<T>(json);
        }
        catch (JsonException error)
        {
            return new CheckedParameters(json, [Explain<T>(error)]);
        }

        var results = new List<ValidationResult>();
        Validator.TryValidateObject(parameters, new ValidationContext(parameters), results, validateAllProperties: true);
        return new CheckedParameters(Json.Write(parameters), [.. results.Select(result => Explain(result, parameters))]);
    }

    private static string Explain<T>(JsonException error)
    {
        var known = Port.Of<T>().Select(port => port.Name).ToArray();
        var name = error.Path?.TrimStart('$', '.') ?? "";
        if (name.Length > 0 && known.Contains(name))
        {
            var expected = Of<T>()["properties"]?[name]?["type"]?.ToJsonString() ?? "another type";
            return $"parameter '{name}': expected {expected.Replace("\"", "")}";
        }

        var message = error.Message.Split(" Path:")[0];
        if (name.Length == 0)
            name = Misspelt(message) ?? "";
        return name.Length > 0
            ? $"unknown parameter '{name}'{Suggestion.For(name, known)}"
            : $"parameters: {message}";
    }

    // System.Text.Json names an unmapped property only in its message, between the first pair of quotes.
    private static string? Misspelt(string message) =>
        message.StartsWith("The JSON property '", StringComparison.Ordinal) ? message.Split('\'')[1] : null;

    private static string Explain<T>(ValidationResult result, T parameters)
    {
        var property = result.MemberNames.FirstOrDefault();
        if (property is null)
            return result.ErrorMessage ?? "invalid parameters";
        var value = typeof(T).GetProperty(property)?.GetValue(parameters);
        var name = JsonNamingPolicy.CamelCase.ConvertName(property);

        // The framework writes "The field Sparsity must be between 0 and 1.", the name in C#'s spelling.
        var expected = result.ErrorMessage?.Split($"The field {property} must ") is [_, var must]
            ? "must " + must.TrimEnd('.')
            : result.ErrorMessage;
        return $"parameter '{name}' is {JsonSerializer.Serialize(value, Json.Options)}: {expected}";
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode schema)
    {
        if (schema is not JsonObject node || context.PropertyInfo?.AttributeProvider is not { } property)
            return schema;
        foreach (var attribute in property.GetCustomAttributes(inherit: true))
        {
            switch (attribute)
            {
                case DescriptionAttribute description:
                    node["description"] = description.Description;
                    break;
                case RangeAttribute range:
                    node["minimum"] = JsonValue.Create(Convert.ToDouble(range.Minimum, null));
                    node["maximum"] = JsonValue.Create(Convert.ToDouble(range.Maximum, null));
                    break;
            }
        }

        return node;
    }
}
