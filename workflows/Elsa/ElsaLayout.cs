using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>Where stages are drawn is written at each activity; what the layout has besides, at the workflow.</summary>
internal static class ElsaLayout
{
    /// <param name="rest">What is written at the workflow.</param>
    public static JsonNode? Join(JsonNode? rest, JsonObject places)
    {
        if (rest is not (null or JsonObject))
            return rest.DeepClone();
        if (rest is null && places.Count == 0)
            return null;
        var layout = rest?.DeepClone() as JsonObject ?? [];
        foreach (var (name, place) in places)
            layout[name] = place?.DeepClone();
        return layout;
    }

    public static JsonNode? Place(JsonNode? layout, string stage) => (layout as JsonObject)?[stage];

    /// <summary>What of a layout is of none of these stages.</summary>
    public static JsonNode? Rest(JsonNode? layout, ICollection<string> stages)
    {
        if (layout is not JsonObject members)
            return layout;
        // A null is no place that an activity could have.
        var rest = new JsonObject(members.Where(member => member.Value is null || !stages.Contains(member.Key))
            .Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));
        return rest.Count == 0 && members.Count > 0 ? null : rest;
    }
}
