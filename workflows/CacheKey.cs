using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Workflows;

/// <summary>
/// Names a result before it is computed: SHA-256 over kind, version, complete parameters, inputs (artifacts by hash) and
/// what the stage reads from outside. Equal keys, equal results.
/// </summary>
public static class CacheKey
{
    /// <returns>64 hexadecimal digits.</returns>
    public static string Of(string kind, int version, JsonElement parameters, JsonElement inputs, string? source)
    {
        var text = new JsonObject
        {
            ["kind"] = kind,
            ["version"] = version,
            ["parameters"] = Sorted(JsonNode.Parse(parameters.GetRawText())),
            ["inputs"] = Sorted(JsonNode.Parse(inputs.GetRawText())),
            ["source"] = source,
        };
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToJsonString())));
    }

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
