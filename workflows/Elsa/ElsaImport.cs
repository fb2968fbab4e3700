using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>What became of an Elsa workflow.</summary>
/// <param name="Warnings">What is kept without a meaning here.</param>
public sealed record ElsaImported(WorkflowDefinition Definition, IReadOnlyList<ElsaWarning> Warnings);

/// <param name="Stage">Null for the workflow itself.</param>
public sealed record ElsaWarning(string? Stage, string Message)
{
    public override string ToString() => Stage is null ? Message : $"{Stage}: {Message}";
}

/// <summary>Elsa 3's JSON as a workflow document. Nothing is lost: <see cref="ElsaExport"/> writes back what was read.</summary>
public static class ElsaImport
{
    internal const string Schema = "https://elsaworkflows.io/schemas/workflow-definition";
    internal const string Flowchart = "Elsa.Flowchart";

    /// <inheritdoc cref="Read(ReadOnlyMemory{byte})"/>
    public static ElsaImported Read(string text) => Read(Encoding.UTF8.GetBytes(text));

    /// <exception cref="ElsaException">It is no Elsa workflow, or one that Elsa would refuse as well; says where.</exception>
    public static ElsaImported Read(ReadOnlyMemory<byte> utf8)
    {
        if (utf8.Length > WorkflowFile.Largest)
            throw new ElsaException($"a workflow has {WorkflowFile.Largest} bytes at most, this has {utf8.Length}");
        var workflow = Checked(ElsaText.Parse(utf8.Span));
        var root = workflow["root"]!.AsObject();
        var isFlowchart = root.Text("type") == Flowchart;
        var activities = isFlowchart ? Activities(root) : [root];
        var warnings = new List<ElsaWarning>();
        if (!isFlowchart)
            warnings.Add(new ElsaWarning(null, $"the root is no flowchart but {root.Text("type")}: it is one stage with all that it contains"));

        var names = ElsaNames.Of(activities);
        var stageOf = activities.Zip(names).Where(pair => pair.First.Text("id") is not null)
            .ToDictionary(pair => pair.First.Text("id")!, pair => pair.Second, StringComparer.Ordinal);
        var idOf = stageOf.ToDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);
        var connections = isFlowchart ? Connections(root, stageOf, warnings) : [];
        var byTarget = connections.ToLookup(connection => connection.Target, StringComparer.Ordinal);
        var notes = new List<string>();
        var definition = ElsaEnvelope.Read(workflow, notes);
        warnings.AddRange(notes.Select(note => new ElsaWarning(null, note)));

        var layout = new JsonObject();
        var stages = new JsonArray();
        foreach (var (activity, name) in activities.Zip(names))
        {
            var view = ElsaActivity.Read(activity);
            var incoming = byTarget[activity.Text("id") ?? ""];
            var stage = new JsonObject { ["id"] = name };
            foreach (var (property, value) in view.Stage)
                stage[property] = value?.DeepClone();
            if (ElsaActivity.IsPlaceholder(stage) && !stage.ContainsKey("inputs"))
                stage.Put("inputs", ElsaEdges.Inputs(incoming, stageOf));
            Warn(stage, activity, view, incoming, stageOf, idOf, warnings);
            stage["elsa"] = new KeptStage(name, activity).ToNode();
            if (view.Place is { } place)
                layout[name] = place.DeepClone();
            stages.Add((JsonNode)stage);
        }

        definition["stages"] = stages;
        definition.Put("layout", ElsaLayout.Join(definition["layout"], layout));
        return new ElsaImported(Finish(definition, workflow, isFlowchart), warnings);
    }

    private static WorkflowDefinition Finish(JsonObject definition, JsonObject workflow, bool isFlowchart)
    {
        var read = definition.Deserialize<WorkflowDefinition>(Json.Options)!;
        // What our own export writes needs no keeping.
        var ours = read with { Stages = [.. read.Stages.Select(stage => stage with { Elsa = null })] };
        if (Nodes.Same(ElsaExport.ToNode(ours), workflow))
            return ours;
        var kept = workflow.DeepClone().AsObject();
        var list = kept.Member("root")!["activities"].AsList();
        var ids = isFlowchart ? (list ?? []).Select(activity => activity.Text("id")) : [kept["root"].Text("id")];
        var activities = ids.OfType<string>().ToHashSet(StringComparer.Ordinal);
        if (isFlowchart)
            list?.Clear();
        else
            kept.Remove("root");
        return read with { Elsa = Json.Write(new KeptWorkflow(kept, activities).ToNode()) };
    }

    private static JsonObject Checked(JsonNode? document)
    {
        if (document is not JsonObject workflow)
            throw new ElsaException($"it is no Elsa workflow: expected an object, found {Nodes.Describe(document)}");
        if (workflow["root"] is not JsonObject root)
        {
            throw new ElsaException(workflow.ContainsKey("stages")
                ? "it is no Elsa workflow but one of ours: it has stages and no root"
                : $"it is no Elsa workflow: expected a root, which is an activity, found {(workflow.ContainsKey("root") ? Nodes.Describe(workflow["root"]) : "none")}");
        }

        Check(root, "root");
        return workflow;
    }

    private static List<JsonObject> Activities(JsonObject root)
    {
        if (root["activities"] is { } given && given.AsList() is null)
            throw new ElsaException($"root.activities: expected a list, found {Nodes.Describe(given)}");
        var activities = new List<JsonObject>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in root["activities"].AsList() ?? [])
        {
            var place = $"root.activities[{activities.Count}]";
            Check(node, place);
            if (node.Text("id") is { } id && !seen.TryAdd(id, activities.Count))
                throw new ElsaException($"{place}: root.activities[{seen[id]}] has the id '{id}' as well");
            activities.Add(node!.AsObject());
        }

        return activities;
    }

    private static void Check(JsonNode? node, string place)
    {
        if (node is not JsonObject activity)
            throw new ElsaException($"{place}: expected an activity, found {Nodes.Describe(node)}");
        if (string.IsNullOrEmpty(activity.Text("type")))
            throw new ElsaException($"{place}: an activity needs a type, as Elsa.WriteLine, found {Nodes.Describe(activity["type"])}");
        if (activity["id"] is { } id && id.AsText() is null)
            throw new ElsaException($"{place}.id: expected a text, found {Nodes.Describe(id)}");
    }

    private static List<ElsaConnection> Connections(JsonObject root, Dictionary<string, string> stageOf, List<ElsaWarning> warnings)
    {
        var connections = new List<ElsaConnection>();
        var index = 0;
        foreach (var node in ElsaGraph.ConnectionsOf(root))
        {
            var place = $"root.connections[{index++}]";
            if (ElsaConnection.Read(node) is not { } connection)
            {
                warnings.Add(new ElsaWarning(null, $"{place} is kept, and not drawn: it names no source and target"));
                continue;
            }

            var lost = new[] { ("source", connection.Source), ("target", connection.Target) }.Where(end => !stageOf.ContainsKey(end.Item2)).ToArray();
            foreach (var (end, id) in lost)
            {
                // Elsa refuses the one form and drops the other.
                var message = $"{place}: its {end} '{id}' is no activity of this workflow";
                if (connection.IsFlat)
                    throw new ElsaException(message);
                warnings.Add(new ElsaWarning(null, message + "; it is kept, and not drawn"));
            }

            if (lost.Length == 0)
                connections.Add(connection);
        }

        return connections;
    }

    private static void Warn(
        JsonObject stage, JsonObject activity, ActivityView view, IEnumerable<ElsaConnection> incoming,
        Dictionary<string, string> stageOf, Dictionary<string, string> idOf, List<ElsaWarning> warnings)
    {
        var name = stage.Text("id")!;
        warnings.AddRange(view.Notes.Select(note => new ElsaWarning(name, note)));
        if (ElsaActivity.IsPlaceholder(stage))
        {
            if (view.Notes.Count == 0)
                warnings.Add(new ElsaWarning(name, $"{activity.Text("type")} is Elsa's: it is kept as a placeholder, and a run is refused as long as it is there"));
            foreach (var hidden in incoming.Where(connection => !ElsaEdges.CanBeShown(connection)))
                warnings.Add(new ElsaWarning(name, $"the connection from {stageOf[hidden.Source]} by its outcome '{hidden.SourcePort}' is kept, and not drawn"));
            return;
        }

        var feeders = ElsaEdges.Of(stage, idOf, ports: false);
        foreach (var order in incoming.Where(connection => !feeders.Contains(ElsaEdges.Of(connection, ports: false))))
            warnings.Add(new ElsaWarning(name, $"it comes after {stageOf[order.Source]} in Elsa, which feeds it nothing here: that order is kept, and does not hold it back"));
    }
}
