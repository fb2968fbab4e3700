using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>Small questions to JSON whose shape nobody promised.</summary>
internal static class Nodes
{
    public static JsonObject? Member(this JsonNode? node, string name) => (node as JsonObject)?[name] as JsonObject;

    public static string? Text(this JsonNode? node, string name) => (node as JsonObject)?[name].AsText();

    public static string? AsText(this JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    /// <summary>The object under this name, made where there is none.</summary>
    public static JsonObject Make(this JsonObject parent, string name)
    {
        if (parent[name] is JsonObject member)
            return member;
        var made = new JsonObject();
        parent[name] = made;
        return made;
    }

    /// <summary>A list, which older Elsa also writes as <c>{ "$values": [] }</c> and wrapped with its type.</summary>
    public static JsonArray? AsList(this JsonNode? node) => node switch
    {
        JsonArray list => list,
        JsonObject wrapper => wrapper["$values"] as JsonArray ?? wrapper["items"] as JsonArray ?? wrapper["values"] as JsonArray,
        _ => null,
    };

    public static JsonNode? ToNode<T>(T value) => JsonSerializer.SerializeToNode(value, Json.Options);

    /// <summary>Equal up to the order of properties, numbers as they are written.</summary>
    public static bool Same(JsonNode? a, JsonNode? b)
    {
        if (a is null || b is null)
            return a is null && b is null;
        if (a is JsonObject members)
        {
            return b is JsonObject others && members.Count == others.Count
                && members.All(member => others.TryGetPropertyValue(member.Key, out var other) && Same(member.Value, other));
        }

        if (a is JsonArray items)
            return b is JsonArray list && items.Count == list.Count && items.Zip(list).All(pair => Same(pair.First, pair.Second));
        var kind = a.GetValueKind();
        return b is JsonValue && kind == b.GetValueKind() && kind switch
        {
            JsonValueKind.String => a.AsText() == b.AsText(),
            JsonValueKind.Number => a.ToJsonString() == b.ToJsonString(),
            _ => true,
        };
    }

    /// <summary>Sets a property, or takes it away where there is no value.</summary>
    public static void Put(this JsonObject target, string name, JsonNode? value)
    {
        if (value is null)
            target.Remove(name);
        else
            target[name] = value.DeepClone();
    }

    /// <summary>What a value is called in messages.</summary>
    public static string Describe(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        _ => "true or false",
    };
}
