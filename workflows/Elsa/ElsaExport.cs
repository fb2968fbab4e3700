using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>
/// A workflow document as Elsa 3's JSON. What was imported is written back as it was read; only what was changed since
/// is changed there.
/// </summary>
public static class ElsaExport
{
    private static readonly JsonSerializerOptions Indented = new(Json.Options) { WriteIndented = true };

    /// <exception cref="ElsaException">The document has two stages of one id, or nulls, or what it keeps of Elsa's was changed by hand.</exception>
    public static string Write(WorkflowDefinition definition) => ToNode(definition).ToJsonString(Indented);

    internal static JsonObject ToNode(WorkflowDefinition definition)
    {
        var document = Checked(definition);
        var kept = KeptWorkflow.Of(document);
        var stages = document["stages"]!.AsArray().Select(stage => stage!.AsObject()).ToList();
        var workflow = kept?.Workflow.DeepClone().AsObject() ?? ElsaEnvelope.Fresh(definition.Name);
        PutEnvelope(workflow, kept, document, stages);

        var single = kept is not null && kept.Workflow["root"] is null;
        var rootId = workflow.Member("root") is { } known ? known.Text("id") ?? "" : "Flowchart1";
        var nodes = NodesOf(stages, document["layout"], rootId);
        Name(nodes);
        if (single && nodes is [{ Kept: not null } only] && (only.Kept.Activity.Text("id") is not { } id || kept!.Activities.Contains(id)))
        {
            workflow["root"] = only.Activity;
            return workflow;
        }

        if (workflow.Member("root") is not { } root)
            workflow["root"] = root = ElsaEnvelope.FreshRoot();
        ElsaGraph.Put(root, nodes, kept?.Activities ?? new HashSet<string>());
        if (root["activities"].AsList() is not { } list)
        {
            list = [];
            if (nodes.Count > 0)
                root["activities"] = list;
        }

        list.Clear();
        foreach (var node in nodes)
            list.Add((JsonNode)node.Activity);
        return workflow;
    }

    private static JsonObject Checked(WorkflowDefinition definition)
    {
        if (Planning.DocumentHoles.Of(definition).FirstOrDefault() is { } hole)
            throw new ElsaException($"{hole} is null");
        if (definition.Stages.GroupBy(stage => stage.Id).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ElsaException($"{twice.Count()} stages have the id '{twice.Key}', which names one activity");
        try
        {
            // Once around, so that every text in it is known to be one.
            return ElsaText.Parse(JsonSerializer.SerializeToUtf8Bytes(definition, Json.Options), Json.Options.MaxDepth)!.AsObject();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new ElsaException("the document is nested deeper than 64 levels, or a text in it is half a character", error);
        }
    }

    private static void PutEnvelope(JsonObject workflow, KeptWorkflow? kept, JsonObject document, List<JsonObject> stages)
    {
        var names = stages.Select(stage => stage.Text("id")!).ToHashSet(StringComparer.Ordinal);
        var before = kept is null ? new JsonObject { ["name"] = workflow["name"]!.DeepClone() } : ElsaEnvelope.Read(kept.Workflow, []);
        var now = document.DeepClone().AsObject();
        now.Remove("stages");
        var wasCalled = stages.Select(stage => KeptStage.Of(stage)?.Name).OfType<string>().ToHashSet(StringComparer.Ordinal);
        now.Put("layout", ElsaLayout.Rest(now["layout"], names));
        before.Put("layout", ElsaLayout.Rest(before["layout"], wasCalled));
        if (now["layout"] is null && before["layout"] is JsonObject { Count: 0 })
            before.Remove("layout");
        ElsaEnvelope.Put(workflow, before, now);
    }

    private static List<ElsaNode> NodesOf(List<JsonObject> stages, JsonNode? layout, string rootId)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        // A copy of a stage keeps the same as its original, which comes first.
        var kept = stages.Select(stage => KeptStage.Of(stage)).ToList();
        var ids = kept.Select(one => one?.Activity.Text("id") is { } id && taken.Add(id) ? id : null).ToList();
        return
        [
            .. stages.Select((stage, index) =>
            {
                var id = ids[index] ?? ElsaNames.Unique(stage.Text("id")!, taken, counts);
                return Node(stage, kept[index], ElsaLayout.Place(layout, stage.Text("id")!), id, rootId);
            }),
        ];
    }

    private static ElsaNode Node(JsonObject stage, KeptStage? kept, JsonNode? place, string id, string rootId)
    {
        var now = stage.DeepClone().AsObject();
        now.Remove("elsa");
        if (kept is null)
            return new ElsaNode(now, null, null, id, ElsaActivity.Fresh(now, place, id, rootId));
        var activity = kept.Activity.DeepClone().AsObject();
        var before = ElsaActivity.Read(activity);
        if (activity.Text("id") is { } was && was != id)
        {
            activity["id"] = id;
            if (activity.Text("nodeId") is { } node)
                activity["nodeId"] = node[..(node.LastIndexOf(':') + 1)] + id;
        }

        if (kept.Name != now.Text("id"))
            activity["name"] = now.Text("id");
        ElsaActivity.Put(activity, before.Stage, before.Place, now, place);
        return new ElsaNode(now, before.Stage, kept, id, activity);
    }

    /// <summary>Where Elsa's names would not lead back to the stages' ids, they are said.</summary>
    private static void Name(List<ElsaNode> nodes)
    {
        for (var settled = false; !settled;)
        {
            settled = true;
            var names = ElsaNames.Of(nodes.Select(node => node.Activity));
            foreach (var (node, name) in nodes.Zip(names))
            {
                if (name == node.Name || node.Activity.Text("name") == node.Name)
                    continue;
                node.Activity["name"] = node.Name;
                settled = false;
            }
        }
    }
}
