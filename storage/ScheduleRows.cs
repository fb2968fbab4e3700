namespace Pipelines.Storage;

/// <summary>A row of <c>schedules</c>: a workflow that is started at the times of a cron.</summary>
internal sealed class ScheduleRow
{
    public required string Name { get; init; }

    /// <summary>Five fields, as its user wrote them.</summary>
    public required string Cron { get; init; }

    /// <summary>The IANA zone that the cron is read in.</summary>
    public required string Zone { get; init; }
    public required MissedPolicy Missed { get; init; }
    public required OverlapPolicy Overlap { get; init; }

    /// <summary>
    /// The workflow document as it was when the schedule was added; or, as a text, the published definition that it starts:
    /// <c>"definition:prune@3"</c>, without a version the latest one.
    /// </summary>
    public required string Definition { get; init; }

    /// <summary>The workflow's parameters; one that names the latest of a folder is resolved at each firing.</summary>
    public required string Parameters { get; init; }
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until when the times of the cron are decided: the last of them, or when it was added or resumed.</summary>
    public DateTimeOffset LastFire { get; init; }

    /// <summary>The first time of the cron after that; null when none comes.</summary>
    public DateTimeOffset? NextFire { get; init; }
    public DateTimeOffset? PausedAt { get; init; }
    public string? PauseReason { get; init; }
}

/// <summary>A row of <c>schedule_fires</c>: what became of a schedule's time. Its key is the promise of one run at most.</summary>
internal sealed class ScheduleFireRow
{
    public required string Schedule { get; init; }

    /// <summary>The time of the cron, whenever it was decided; for one that was triggered, when that was.</summary>
    public required DateTimeOffset FireTime { get; init; }
    public required FireOutcome Outcome { get; init; }

    /// <summary>Whether somebody asked for it, rather than the cron.</summary>
    public required bool Triggered { get; init; }

    /// <summary>Why there is no run; null otherwise.</summary>
    public string? Reason { get; init; }
    public Guid? RunId { get; init; }
    public DateTimeOffset DecidedAt { get; init; }
}

/// <summary>What becomes of times that passed while no worker was up.</summary>
public enum MissedPolicy
{
    Skip,
    Once,
    All,
}

/// <summary>What becomes of a time at which the schedule's previous run still runs.</summary>
public enum OverlapPolicy
{
    Skip,

    /// <summary>It starts when that run has ended; one waits at most.</summary>
    Queue,

    /// <summary>That run is cancelled, and this one starts.</summary>
    Cancel,
    Allow,
}

public enum FireOutcome
{
    Started,

    /// <summary>Waits for the previous run to end.</summary>
    Queued,
    Skipped,

    /// <summary>No run could be made of it.</summary>
    Failed,
}
