using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Tests.Cli;

/// <summary>Runs as the displays see them.</summary>
internal static class Views
{
    public static RunView Run(params StageView[] stages) => Run(RunState.Running, stages);

    public static RunView Run(RunState state, params StageView[] stages) => new(
        new Guid("01a1fc3c-1359-7243-ac2b-f086ffe4ca10"), "w", state, DateTimeOffset.UnixEpoch,
        state == RunState.Running ? null : DateTimeOffset.UnixEpoch.AddSeconds(3),
        new Dictionary<string, System.Text.Json.JsonElement>(), new WorkflowDefinition("w", []),
        new Dictionary<string, System.Text.Json.JsonElement>(), stages);

    public static StageView Stage(
        string id, StageState state, double? seconds = null, StageProgress? progress = null, string? error = null, bool reused = false) =>
        new(id, "toy.kind", state, 1, reused, seconds, progress, null, error, null);

    public static StageProgress Progress(long done, long total, params (string Name, double Value)[] figures) =>
        new(done, total, "step", figures.ToDictionary(figure => figure.Name, figure => figure.Value));
}
