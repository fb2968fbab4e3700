using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>Everything of a workflow but its graph: name, description, parameters, outputs, and in the bag the rest of ours.</summary>
internal static class ElsaEnvelope
{
    private const string Bag = ElsaActivity.Bag;

    private static readonly string[] InBag = ["inputs", "outputs", "notes", "layout"];

    /// <returns>As in our document, without its stages; of the layout only what is of no stage.</returns>
    public static JsonObject Read(JsonObject workflow, List<string> notes)
    {
        var bag = workflow.Member("customProperties").Member(Bag);
        if (TryRead(workflow, bag, notes, out var view, out var fault))
            return view;
        notes.Add($"customProperties.{Bag} cannot be read ({fault}): it is kept");
        TryRead(workflow, null, [], out view, out _);
        return view;
    }

    public static void Put(JsonObject workflow, JsonObject before, JsonObject now)
    {
        if (!Nodes.Same(before["name"], now["name"]))
            workflow.Put("name", now["name"]);
        if (!Nodes.Same(before["description"], now["description"]))
            workflow.Put("description", now["description"]);
        var bag = workflow.Member("customProperties").Member(Bag)?.DeepClone() as JsonObject ?? [];
        var untouched = bag.DeepClone();
        if (!Nodes.Same(before["parameters"], now["parameters"]))
            ElsaParameters.Put(workflow, bag, before["parameters"] as JsonObject, now["parameters"] as JsonObject);
        if (!Nodes.Same(before["outputs"], now["outputs"]))
            PutOutputs(workflow, before["outputs"] as JsonObject ?? [], now["outputs"] as JsonObject ?? []);
        foreach (var name in InBag)
        {
            if (!Nodes.Same(before[name], now[name]))
                bag.Put(name, now[name]);
        }

        if (!Nodes.Same(untouched, bag))
            ElsaParts.PutBag(workflow, bag);
    }

    /// <summary>For a workflow that Elsa has not seen. Its identity comes from its name, so that it is the same every time.</summary>
    public static JsonObject Fresh(string name)
    {
        var identity = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        return new JsonObject
        {
            ["$schema"] = ElsaImport.Schema + "/v3.0.0/schema.json",
            ["id"] = identity[16..32],
            ["definitionId"] = identity[..16],
            ["name"] = name,
            ["version"] = 1,
            ["variables"] = new JsonArray(),
            ["inputs"] = new JsonArray(),
            ["outputs"] = new JsonArray(),
            ["outcomes"] = new JsonArray(),
            ["customProperties"] = new JsonObject(),
            ["isReadonly"] = false,
            ["isSystem"] = false,
            ["isLatest"] = true,
            ["isPublished"] = false,
            ["options"] = new JsonObject { ["autoUpdateConsumingWorkflows"] = false },
        };
    }

    public static JsonObject FreshRoot() => new()
    {
        ["id"] = "Flowchart1",
        ["nodeId"] = "Workflow1:Flowchart1",
        ["name"] = "Flowchart1",
        ["type"] = ElsaImport.Flowchart,
        ["version"] = 1,
        ["customProperties"] = new JsonObject
        {
            ["notFoundConnections"] = new JsonArray(),
            ["canStartWorkflow"] = false,
            ["runAsynchronously"] = false,
        },
        ["metadata"] = new JsonObject(),
        ["activities"] = new JsonArray(),
        ["variables"] = new JsonArray(),
        ["connections"] = new JsonArray(),
    };

    private static bool TryRead(JsonObject workflow, JsonObject? bag, List<string> notes, out JsonObject view, out string fault)
    {
        var said = new List<string>();
        view = new JsonObject { ["name"] = Name(workflow), ["stages"] = new JsonArray() };
        fault = "";
        if (workflow.Text("description") is { } description)
            view["description"] = description;
        view.Put("parameters", ElsaParameters.Read(workflow, bag, said));
        foreach (var name in InBag)
            view.Put(name, bag?[name]);
        try
        {
            var read = view.Deserialize<WorkflowDefinition>(Json.Options)!;
            if (Planning.DocumentHoles.Of(read).FirstOrDefault() is { } hole)
            {
                fault = $"{hole} is null";
                return false;
            }

            view = Nodes.ToNode(read)!.AsObject();
            view.Remove("stages");
        }
        catch (JsonException error)
        {
            fault = error.Message.Split(" Path:")[0].TrimEnd('.');
            return false;
        }

        foreach (var output in workflow["outputs"].AsList() ?? [])
        {
            if (output.Text("name") is not { } name || view.Member("outputs")?.ContainsKey(name) != true)
                said.Add($"the output '{output.Text("name")}' is kept, and is none here: nothing says which stage it comes from");
        }

        notes.AddRange(said);
        return true;
    }

    // Results go to a folder that is called after the workflow.
    private static string Name(JsonObject workflow)
    {
        var name = new[] { "name", "definitionId", "id" }.Select(property => workflow.Text(property))
            .FirstOrDefault(text => !string.IsNullOrWhiteSpace(text)) ?? "workflow";
        return name.Replace('/', '-').Replace('\\', '-').Replace('\0', '-');
    }

    private static void PutOutputs(JsonObject workflow, JsonObject before, JsonObject now)
    {
        if (workflow["outputs"].AsList() is not { } list)
            workflow["outputs"] = list = [];
        foreach (var gone in list.Where(output => output.Text("name") is { } name && before.ContainsKey(name) && !now.ContainsKey(name)).ToArray())
            list.Remove(gone);
        foreach (var (name, _) in now)
        {
            if (!list.Any(output => output.Text("name") == name))
                list.Add((JsonNode)new JsonObject { ["type"] = "Object", ["name"] = name, ["displayName"] = name, ["isArray"] = false });
        }
    }
}
