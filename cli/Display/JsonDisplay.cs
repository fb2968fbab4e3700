using System.Text.Json.Nodes;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Cli.Display;

/// <summary>One JSON object per line, for programs: a stage whose state or progress changed, the run when it ended.</summary>
internal sealed class JsonDisplay(TextWriter writer) : IRunDisplay
{
    private readonly Dictionary<string, string> shown = [];

    public void Show(RunView run)
    {
        foreach (var stage in run.Stages)
            Write(stage.Id, RunEvents.Of(run, stage));
        if (run.State != RunState.Running)
            Write("", RunEvents.Of(run));
    }

    public void Dispose()
    {
    }

    private void Write(string key, JsonObject @event)
    {
        // Seconds run on while nothing happens; they are no event.
        var seconds = @event["seconds"]?.DeepClone();
        @event.Remove("seconds");
        var text = @event.ToJsonString(Json.Options);
        if (shown.TryGetValue(key, out var before) && before == text)
            return;
        shown[key] = text;
        @event["seconds"] = seconds;
        writer.WriteLine(@event.ToJsonString(Json.Options));
    }
}

/// <summary>Runs and stages as events.</summary>
internal static class RunEvents
{
    public static JsonObject Of(RunView run) => new()
    {
        ["event"] = "run",
        ["run"] = run.Id,
        ["name"] = run.Name,
        ["state"] = run.State.ToString().ToLowerInvariant(),
        ["created"] = run.Created,
        ["finished"] = run.Finished,
        ["seconds"] = run.Finished is { } end ? (end - run.Created).TotalSeconds : null,
    };

    public static JsonObject Of(RunView run, StageView stage) => new()
    {
        ["event"] = "stage",
        ["run"] = run.Id,
        ["stage"] = stage.Id,
        ["kind"] = stage.Kind,
        ["state"] = stage.State.ToString().ToLowerInvariant(),
        ["attempt"] = stage.Attempt,
        ["reused"] = stage.Reused,
        ["progress"] = stage.Progress is { } progress ? JsonNode.Parse(Json.Write(progress).GetRawText()) : null,
        ["error"] = stage.Error,
        ["worker"] = stage.Worker,
        ["reason"] = stage.Reason,
        ["variables"] = stage.Variables is { } variables ? JsonNode.Parse(Json.Write(variables).GetRawText()) : null,
        ["seconds"] = stage.Seconds,
    };
}
