using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>
/// From an activity's outcome to another activity. Elsa has written it in two forms, <c>{ "source": { "activity", "port" } }</c>
/// and <c>{ "source", "sourcePort" }</c>, and reads both in any case.
/// </summary>
/// <param name="IsFlat">The second form, in which Elsa refuses ends that do not exist.</param>
internal sealed record ElsaConnection(string Source, string SourcePort, string Target, string TargetPort, bool IsFlat)
{
    public const string Done = "Done";
    public const string In = "In";

    /// <summary>Null for what is none.</summary>
    public static ElsaConnection? Read(JsonNode? node)
    {
        if (node is not JsonObject connection)
            return null;
        var (source, target) = (Any(connection, "source"), Any(connection, "target"));
        var isFlat = source is JsonValue;
        var (from, to) = isFlat
            ? (source.AsText(), target.AsText())
            : (Any(source as JsonObject, "activity").AsText(), Any(target as JsonObject, "activity").AsText());
        if (from is null || to is null)
            return null;
        var (fromPort, toPort) = isFlat
            ? (Any(connection, "sourcePort"), Any(connection, "targetPort"))
            : (Any(source as JsonObject, "port"), Any(target as JsonObject, "port"));
        return new ElsaConnection(from, fromPort.AsText() ?? Done, to, toPort.AsText() ?? In, isFlat);
    }

    public static JsonObject Write(string source, string sourcePort, string target, string targetPort) => new()
    {
        ["source"] = new JsonObject { ["activity"] = source, ["port"] = sourcePort },
        ["target"] = new JsonObject { ["activity"] = target, ["port"] = targetPort },
        ["vertices"] = new JsonArray(),
    };

    private static JsonNode? Any(JsonObject? node, string name) =>
        node?.FirstOrDefault(member => string.Equals(member.Key, name, StringComparison.OrdinalIgnoreCase)).Value;
}
