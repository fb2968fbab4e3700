using System.Text.Json;

namespace Pipelines.Workflows.Planning;

/// <summary>Walks the JSON schema of what activities put out.</summary>
internal static class Schemas
{
    /// <returns>Null when the schema does not say.</returns>
    public static JsonElement? Member(JsonElement? schema, string name) =>
        Properties(schema) is { } properties && properties.TryGetProperty(name, out var member) ? member : null;

    /// <summary>The names of an object's members; null when the schema does not say.</summary>
    public static IReadOnlyList<string>? Members(JsonElement? schema) =>
        Properties(schema)?.EnumerateObject().Select(property => property.Name).ToList();

    private static JsonElement? Properties(JsonElement? schema) =>
        schema is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty("properties", out var properties)
            ? properties
            : null;
}
