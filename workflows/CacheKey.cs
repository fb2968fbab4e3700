using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Pipelines.Workflows;

/// <summary>
/// Names a result before it is computed: by kind, version, complete parameters, inputs (artifacts by hash) and what the
/// stage reads from outside. Equal keys, equal results.
/// </summary>
/// <param name="Inputs">By port, a hash of its value.</param>
/// <param name="Source">A hash of the state of what is read from outside; null for nothing.</param>
public sealed record CacheKey(
    string Kind, int Version, JsonElement Parameters, IReadOnlyDictionary<string, string> Inputs, string? Source)
{
    private const int LongestValue = 60;

    public static CacheKey Of(string kind, int version, JsonElement parameters, JsonElement inputs, string? source) => new(
        kind, version, parameters,
        inputs.EnumerateObject().ToDictionary(input => input.Name, input => Hash(Sorted(JsonNode.Parse(input.Value.GetRawText())))),
        source is null ? null : Hash(JsonValue.Create(source)));

    /// <summary>SHA-256, 64 hexadecimal digits.</summary>
    [JsonIgnore]
    public string Name => Hash(Sorted(JsonNode.Parse(Json.Write(this).GetRawText())));

    /// <summary>What in it is not as it was: <c>sparsity is 0.6, was 0.5; its input 'model' is another</c>. Empty when nothing is.</summary>
    public string Difference(CacheKey before)
    {
        var changes = new List<string>();
        if (Kind != before.Kind)
            changes.Add($"its kind is {Kind}, was {before.Kind}");
        else if (Version != before.Version)
            changes.Add($"{Kind} has version {Version}, had {before.Version}");
        foreach (var name in Names(Parameters).Union(Names(before.Parameters)))
        {
            var (now, then) = (Value(Parameters, name), Value(before.Parameters, name));
            if (now != then)
                changes.Add($"{name} is {now ?? "not there"}, was {then ?? "not there"}");
        }

        changes.AddRange(Inputs.Keys.Union(before.Inputs.Keys)
            .Where(port => Inputs.GetValueOrDefault(port) != before.Inputs.GetValueOrDefault(port))
            .Select(port => $"its input '{port}' is another"));
        if (Source != before.Source)
            changes.Add("the files that it reads have changed");
        return string.Join("; ", changes);
    }

    private static IEnumerable<string> Names(JsonElement parameters) =>
        parameters.EnumerateObject().Select(parameter => parameter.Name);

    private static string? Value(JsonElement parameters, string name)
    {
        if (!parameters.TryGetProperty(name, out var value))
            return null;
        var text = Sorted(JsonNode.Parse(value.GetRawText()))?.ToJsonString() ?? "null";
        return text.Length <= LongestValue ? text : $"{text[..LongestValue]}… ({Hash(text)[..8]})";
    }

    private static string Hash(JsonNode? node) => Hash(node?.ToJsonString() ?? "null");

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    // The order of properties carries no meaning, so it must not carry into the key.
    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members
            .OrderBy(member => member.Key, StringComparer.Ordinal)
            .Select(member => KeyValuePair.Create(member.Key, Sorted(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}
