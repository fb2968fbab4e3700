using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>What a stage keeps of the activity that it was: all of it, and what the stage was called then.</summary>
internal sealed record KeptStage(string Name, JsonObject Activity)
{
    public static KeptStage? Of(JsonObject stage) => stage["elsa"] switch
    {
        null => null,
        JsonObject kept when kept.Text("stage") is { } name && kept["activity"] is JsonObject activity && activity.Text("type") is not null =>
            new KeptStage(name, activity),
        _ => throw new ElsaException($"stage '{stage.Text("id")}': its 'elsa' is not what an import kept there: expected a stage and an activity"),
    };

    public JsonObject ToNode() => new() { ["stage"] = Name, ["activity"] = Activity.DeepClone() };
}

/// <summary>What a workflow keeps: everything but its activities, and their ids.</summary>
/// <param name="Workflow">Its root is there, without activities, when it was a flowchart.</param>
internal sealed record KeptWorkflow(JsonObject Workflow, IReadOnlySet<string> Activities)
{
    public static KeptWorkflow? Of(JsonObject document) => document["elsa"] switch
    {
        null => null,
        JsonObject kept when kept["workflow"] is JsonObject workflow && workflow["root"] is null or JsonObject && kept["activities"] is JsonArray ids
            && ids.All(id => id.AsText() is not null) =>
            new KeptWorkflow(workflow, ids.Select(id => id.AsText()!).ToHashSet(StringComparer.Ordinal)),
        _ => throw new ElsaException("the workflow's 'elsa' is not what an import kept there: expected a workflow and its activities"),
    };

    public JsonObject ToNode() => new()
    {
        ["workflow"] = Workflow.DeepClone(),
        ["activities"] = new JsonArray([.. Activities.Select(id => (JsonNode)id)]),
    };
}
