using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Pipelines.Workflows.Elsa;

/// <summary>The parts of an activity, each read and each changed by itself.</summary>
internal static partial class ElsaParts
{
    /// <summary>Elsa's own properties, which no parameter may be called after.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "id", "nodeId", "name", "type", "version", "customProperties", "metadata", "canStartWorkflow", "runAsynchronously",
        "source", "line", "activities", "connections", "variables", "start", "applicationProperties", "outcomes",
    };

    public static bool MayBeParameter(string name) => Camel().IsMatch(name) && !Reserved.Contains(name);

    /// <param name="bag">Has those that cannot be inputs.</param>
    public static JsonNode? Parameters(JsonObject body, JsonObject? bag)
    {
        JsonNode? others = null;
        var given = bag?.TryGetPropertyValue("parameters", out others) == true;
        if (given && others is not JsonObject)
            return others?.DeepClone();
        var parameters = new JsonObject();
        foreach (var (name, property) in body)
        {
            if (MayBeParameter(name) && ElsaInput.Read(property, out var value) == ElsaInput.Found.Value)
                parameters[name] = value?.DeepClone();
        }

        foreach (var (name, value) in others as JsonObject ?? [])
            parameters[name] = value?.DeepClone();
        return parameters.Count > 0 || given ? parameters : null;
    }

    public static void PutParameters(JsonObject body, JsonObject bag, JsonNode? before, JsonNode? now)
    {
        var others = bag["parameters"] as JsonObject ?? [];
        var (old, wanted) = (before as JsonObject ?? [], now as JsonObject ?? []);
        foreach (var name in old.Select(member => member.Key).Where(name => !wanted.ContainsKey(name)).ToArray())
        {
            if (!others.Remove(name))
                body.Remove(name);
        }

        foreach (var (name, value) in wanted)
        {
            if (old.TryGetPropertyValue(name, out var was) && Nodes.Same(was, value))
                continue;
            others.Remove(name);
            var input = ElsaInput.Write(body[name], value);
            if (MayBeParameter(name) && ElsaInput.Read(input, out var again) == ElsaInput.Found.Value && Nodes.Same(again, value))
                body[name] = input;
            else
                others[name] = value?.DeepClone();
        }

        // An empty object is not the same as none.
        bag.Put("parameters", now switch
        {
            null => null,
            JsonObject => others.Count > 0 || wanted.Count == 0 ? others : null,
            _ => now,
        });
    }

    /// <summary>Where the activity is drawn, as <c>{ "x": 0, "y": 0 }</c>.</summary>
    public static JsonObject? Position(JsonObject activity) =>
        activity.Member("metadata").Member("designer").Member("position") is { } position
        && position["x"]?.GetValueKind() == JsonValueKind.Number && position["y"]?.GetValueKind() == JsonValueKind.Number
            ? new JsonObject { ["x"] = position["x"]!.DeepClone(), ["y"] = position["y"]!.DeepClone() }
            : null;

    public static void PutPosition(JsonObject activity, JsonObject bag, JsonNode? place)
    {
        bag.Remove("layout");
        if (place is JsonObject { Count: 2 } at && at["x"]?.GetValueKind() == JsonValueKind.Number && at["y"]?.GetValueKind() == JsonValueKind.Number)
        {
            var position = activity.Make("metadata").Make("designer").Make("position");
            position["x"] = at["x"]!.DeepClone();
            position["y"] = at["y"]!.DeepClone();
            return;
        }

        activity.Member("metadata").Member("designer")?.Remove("position");
        bag.Put("layout", place);
    }

    public static void PutBag(JsonObject body, JsonObject bag)
    {
        if (bag.Count > 0)
            body.Make("customProperties")[ElsaActivity.Bag] = bag.DeepClone();
        else
            body.Member("customProperties")?.Remove(ElsaActivity.Bag);
    }

    [GeneratedRegex(@"^[a-z][A-Za-z0-9_]*\z")]
    private static partial Regex Camel();
}
