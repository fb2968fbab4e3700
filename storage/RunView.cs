using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>A run as it stands, for people and programs that look at it.</summary>
/// <param name="Definition">The copy of the workflow that the run executes.</param>
/// <param name="Outputs">The workflow's named outputs, once the stages that make them have completed.</param>
public sealed record RunView(
    Guid Id,
    string Name,
    RunState State,
    DateTimeOffset Created,
    DateTimeOffset? Finished,
    IReadOnlyDictionary<string, JsonElement> Parameters,
    WorkflowDefinition Definition,
    IReadOnlyDictionary<string, JsonElement> Outputs,
    IReadOnlyList<StageView> Stages);

/// <param name="Reused">Whether the result came from the store instead of being computed.</param>
/// <param name="Attempt">Attempts begun, 0 before the first.</param>
/// <param name="Seconds">From claim to end of the last attempt, in database time; so far, while it runs.</param>
/// <param name="Error">Why it failed, for its user; null otherwise.</param>
/// <param name="Worker">Who runs or ran it.</param>
/// <param name="WaitsFor">What a ready stage waits for besides a free slot; null for nothing.</param>
/// <param name="Reason">Why it was skipped, or computed anew.</param>
/// <param name="Started">When its last attempt was claimed, in database time.</param>
/// <param name="Device">What it runs or ran on, by PyTorch's name.</param>
/// <param name="Variables">The values that its matrices have for it, and its round.</param>
public sealed record StageView(
    string Id,
    string Kind,
    StageState State,
    int Attempt,
    bool Reused,
    double? Seconds,
    StageProgress? Progress,
    JsonElement? Outputs,
    string? Error,
    string? Worker,
    string? WaitsFor = null,
    string? Reason = null,
    IReadOnlyDictionary<string, JsonElement>? Variables = null,
    DateTimeOffset? Started = null,
    string? Device = null);

public enum RunState
{
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// <summary>
/// Waiting for feeders, Ready to be claimed, Running on a worker, then one of the ends. Blocked never started: a stage
/// that feeds it failed or was cancelled; Skipped was not to run: its condition did not hold, or what feeds it was skipped.
/// </summary>
public enum StageState
{
    Waiting,
    Ready,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Blocked,
    Skipped,
}
