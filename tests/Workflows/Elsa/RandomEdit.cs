using System.Text.Json.Nodes;

namespace Pipelines.Tests.Workflows.Elsa;

/// <summary>Changes that people, tools and accidents make to an Elsa workflow: anywhere, and at the places that mean something.</summary>
internal static class RandomEdit
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-0.50", "1e3", "1.000", "123456789012345678901234567890", "\"\"", "\"Done\"", "\"a.b\"", "\"${steps}\"",
        "\"\\u00e9\\ud83d\\ude00 \\\"x\\\"\"", "[]", "{}", "[1,null,{}]", "{\"x\":1.0,\"y\":2e0}", "{\"pipelines\":{}}",
        "{\"typeName\":\"Int32\",\"expression\":{\"type\":\"Literal\",\"value\":\"5\"}}",
        "{\"typeName\":\"Object\",\"expression\":{\"type\":\"Object\",\"value\":\"{\\\"a\\\": 1.50}\"}}",
        "{\"typeName\":\"Object\",\"expression\":{\"type\":\"Object\",\"value\":\"not json\"}}",
        "{\"typeName\":\"Double\",\"expression\":{\"type\":\"JavaScript\",\"value\":\"1 + 1\"}}",
        "{\"typeName\":\"Object\",\"memoryReference\":{\"id\":\"v\"}}", "{\"type\":\"Literal\"}",
    ];

    private static readonly string[] Bags =
    [
        "{}",
        "{\"timeout\": 60.0}",
        "{\"inputs\": {\"model\": \"train.model\"}}",
        "{\"inputs\": {\"In\": [\"train.model\"]}}",
        "{\"timeuot\": 1}",
        "{\"layout\": 5}",
        "{\"parameters\": [1]}",
        "5",
        "{\"kind\": \"data.text\"}",
    ];

    private static readonly string[] Names =
    [
        "name", "type", "text", "sparsity", "description", "metadata", "customProperties", "pipelines", "layout", "parameters", "inputs",
        "outputs", "variables", "position", "expression", "value", "typeName", "when", "extra", "a b", "x", "kind", "isArray", "",
    ];

    public static void Apply(JsonObject document, Random random)
    {
        switch (random.Next(8))
        {
            case 0 when List(document, "activities") is { } activities:
                activities.Insert(random.Next(activities.Count + 1), Activity(activities.Count, random));
                break;
            case 1 when List(document, "activities") is { Count: > 0 } activities:
                activities.RemoveAt(random.Next(activities.Count));
                break;
            case 2 when List(document, "connections") is { } connections && List(document, "activities") is { Count: > 0 } activities:
                connections.Insert(random.Next(connections.Count + 1), Connection(activities, random));
                break;
            case 3 when List(document, "connections") is { Count: > 0 } connections:
                connections.RemoveAt(random.Next(connections.Count));
                break;
            case 4 when document["variables"] is JsonArray variables:
                variables.Add(JsonNode.Parse($$"""{"id":"v{{random.Next(99)}}","name":"{{Pick(Names, random)}}","typeName":"{{Pick(["String", "Int32", "Double", "Boolean", "Object", "String[]"], random)}}","value":"{{Pick(["", "5", "0.50", "true", "[1]", "x"], random)}}"}"""));
                break;
            default:
                Change(document, random);
                break;
        }
    }

    /// <summary>One property anywhere, below the root.</summary>
    private static void Change(JsonObject document, Random random)
    {
        var objects = Objects(document).ToList();
        var target = objects[random.Next(objects.Count)];
        var name = random.Next(2) == 0 && target.Count > 0 ? target.ElementAt(random.Next(target.Count)).Key : Pick(Names, random);
        if (ReferenceEquals(target, document) && name == "root")
            return;
        if (random.Next(4) == 0)
            target.Remove(name);
        else
            target[name] = JsonNode.Parse(Pick(Values, random));
    }

    private static JsonNode Activity(int count, Random random) => JsonNode.Parse($$"""
        { "id": "new{{count}}{{random.Next(1000)}}", "name": {{Pick(["null", "\"WriteLine1\"", "\"train\"", "\"Ü 1\"", "\"9\"", "\"inputs\""], random)}},
          "type": "{{Pick(["Elsa.WriteLine", "Child", "Pipelines.prune.wanda", "Pipelines.Group", "Pipelines.Workflow", "Elsa.Sequence", "Elsa."], random)}}",
          "{{Pick(["text", "sparsity", "activities"], random)}}": {{Pick(Values, random)}}, "version": 1, "metadata": {},
          "customProperties": { "pipelines": {{Pick(Bags, random)}} } }
        """)!;

    private static JsonNode Connection(JsonArray activities, Random random)
    {
        var (from, to) = (Id(activities, random), Id(activities, random));
        var port = Pick(["\"Done\"", "null", "\"True\"", "\"a.b\"", "\"\"", "200"], random);
        return JsonNode.Parse(random.Next(4) switch
        {
            0 => $$$"""{"source":{{{from}}},"target":{{{to}}},"sourcePort":{{{port}}},"targetPort":"In"}""",
            1 => $$$"""{"Source":{"Activity":{{{from}}},"Port":{{{port}}}},"Target":{"Activity":{{{to}}},"Port":"In"},"Vertices":[{"X":1.0,"Y":2}]}""",
            2 => $$$"""{"source":{"activity":"nowhere","port":{{{port}}}},"target":{"activity":{{{to}}},"port":"In"}}""",
            _ => $$$"""{"source":{"activity":{{{from}}},"port":{{{port}}}},"target":{"activity":{{{to}}},"port":"In"},"vertices":[]}""",
        })!;
    }

    private static string Id(JsonArray activities, Random random) =>
        (activities[random.Next(activities.Count)] as JsonObject)?["id"]?.ToJsonString() ?? "null";

    private static JsonArray? List(JsonObject document, string name) => (document["root"] as JsonObject)?[name] as JsonArray;

    private static IEnumerable<JsonObject> Objects(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => Objects(member.Value)).Prepend(members),
        JsonArray items => items.SelectMany(Objects),
        _ => [],
    };

    private static string Pick(string[] of, Random random) => of[random.Next(of.Length)];
}
