using System.Text.Json;

namespace Pipelines.Storage;

/// <summary>A schedule as it stands.</summary>
/// <param name="Workflow">The name of its workflow.</param>
/// <param name="Next">When it fires next, in UTC; null while it is paused, and when no time comes.</param>
/// <param name="Definition">The published definition that it starts; null when it carries a document of its own.</param>
/// <param name="Version">Of the definition; null for the one that is the latest at each firing.</param>
/// <param name="PausedAt">Null while it is not paused.</param>
public sealed record ScheduleView(
    string Name,
    string Workflow,
    string Cron,
    string Zone,
    MissedPolicy Missed,
    OverlapPolicy Overlap,
    IReadOnlyDictionary<string, JsonElement> Parameters,
    DateTimeOffset Created,
    DateTimeOffset? Next,
    DateTimeOffset? PausedAt,
    string? PauseReason,
    string? Definition,
    int? Version);

/// <summary>What became of one time of a schedule.</summary>
/// <param name="Time">The time of the cron; for one that was triggered, when that was.</param>
/// <param name="Reason">Why there is no run.</param>
/// <param name="State">Of the run.</param>
/// <param name="Reused">Whether every stage of the run was reused, so that nothing was computed.</param>
public sealed record FireView(
    DateTimeOffset Time,
    FireOutcome Outcome,
    bool Triggered,
    string? Reason,
    Guid? Run,
    RunState? State,
    bool Reused);
