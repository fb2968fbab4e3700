using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>A row of <c>runs</c>.</summary>
internal sealed class RunRow
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public required RunState State { get; init; }
    public required bool UseCache { get; init; }

    /// <summary>What whoever asked for the run calls it; a second request of this name is the same one.</summary>
    public string? RequestKey { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Set by cancelling; running stages hear of it, and nothing of the run is claimed any more.</summary>
    public DateTimeOffset? CancelRequestedAt { get; init; }

    /// <summary>The workflow document as it was when the run started.</summary>
    public required string Definition { get; init; }
    public required string Parameters { get; init; }

    /// <summary>The published version of its definition; null when it was started from a document.</summary>
    public int? DefinitionVersion { get; init; }

    /// <summary>The name of the token that it was started with; null without one.</summary>
    public string? StartedBy { get; init; }

    /// <summary>Name to where the value of the workflow's output comes from.</summary>
    public required string Outputs { get; init; }
}

/// <summary>A row of <c>stages</c>: one stage of one run, and how it stands.</summary>
internal sealed class StageRow
{
    public required Guid RunId { get; init; }
    public required string Id { get; init; }

    /// <summary>Place in the plan, feeders first.</summary>
    public required int Position { get; init; }
    public required StageState State { get; init; }
    public required string Kind { get; init; }
    public required int Version { get; init; }
    public required int Gpu { get; init; }

    /// <summary>Which workers can run it: those that serve this group.</summary>
    public required string Group { get; init; }

    /// <summary>Where its attempts run.</summary>
    public Isolation Isolation { get; init; }

    /// <summary>Attempts begun; the fence that every write of a running stage names.</summary>
    public int Attempt { get; init; }

    /// <summary>Attempts that failed; one that was handed back does not count.</summary>
    public int Failures { get; init; }
    public required int MaxAttempts { get; init; }

    /// <summary>Seconds before the second attempt.</summary>
    public double Backoff { get; init; }

    /// <summary>Workers that died of it since it last got further.</summary>
    public int Crashes { get; init; }
    public int MaxCrashes { get; init; }

    /// <summary>The step of the checkpoint that the last dead worker left; null for none.</summary>
    public long? CrashStep { get; init; }

    /// <summary>Seconds that an attempt may take.</summary>
    public double? Timeout { get; init; }

    /// <summary>Feeders that have not succeeded yet; ready at 0.</summary>
    public required int UnfinishedFeeders { get; init; }

    /// <summary>The stages that its inputs may come from.</summary>
    public string[] Feeders { get; init; } = [];

    /// <summary>The stages that this one feeds.</summary>
    public required string[] Feeds { get; init; }

    /// <summary>Port to where its value comes from.</summary>
    public required string Inputs { get; init; }
    public required string Parameters { get; init; }

    /// <summary>Whether it must be looked at when its feeders are done: it may turn out to be skipped.</summary>
    public bool Gated { get; init; }

    /// <summary>What must hold for it to run.</summary>
    public string? Conditions { get; init; }

    /// <summary>The branches of bounded fan-outs that it belongs to.</summary>
    public string? Branches { get; init; }

    /// <summary>Those of them whose turn has not come; each counts as an unfinished feeder.</summary>
    public string[] Held { get; init; } = [];

    /// <summary>Its values of the fan-outs that it is part of, and its round.</summary>
    public string? Variables { get; init; }
    public DateTimeOffset? ReadyAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public string? Worker { get; init; }

    /// <summary>PyTorch's name of what it runs on: <c>cuda:1</c>.</summary>
    public string? Device { get; init; }

    /// <summary>Until when, in database time, the worker is taken to be alive; it moves this on while it is.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }
    public string? Progress { get; init; }
    public string? Outputs { get; init; }

    /// <summary>The artifacts that its inputs name.</summary>
    public string[] Takes { get; init; } = [];

    /// <summary>The artifacts that its outputs name.</summary>
    public string[] Makes { get; init; } = [];
    public string? CacheKey { get; init; }

    /// <summary>What the key is made of, each part by its own hash.</summary>
    public string? KeyParts { get; init; }
    public bool Reused { get; init; }

    /// <summary>Whether a stored result may stand for computing it, by its definition.</summary>
    public bool UseCache { get; init; } = true;

    /// <summary>Whether it is computed although its result may be stored: its user asked to run it again.</summary>
    public bool Fresh { get; init; }

    /// <summary>Why it was computed anew, or skipped.</summary>
    public string? Reason { get; init; }
    public string? Error { get; init; }
    public string? ErrorDetail { get; init; }
}

/// <summary>A row of <c>attempts</c>: the history of a stage.</summary>
internal sealed class AttemptRow
{
    public required Guid RunId { get; init; }
    public required string Stage { get; init; }
    public required int Attempt { get; init; }
    public required string Worker { get; init; }
    public DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The step of the checkpoint that it went on from; null when it began at the beginning.</summary>
    public long? FromStep { get; init; }

    /// <summary>Null while it runs.</summary>
    public AttemptOutcome? Outcome { get; init; }

    /// <summary>PyTorch's name of what it ran on.</summary>
    public string? Device { get; init; }

    /// <summary>Of its process, where it had one of its own.</summary>
    public int? ExitCode { get; init; }
    public string? Error { get; init; }
}

/// <summary>How an attempt ended.</summary>
public enum AttemptOutcome
{
    Succeeded,
    Reused,
    Failed,
    Cancelled,

    /// <summary>Its worker was told to stop; another one takes the stage.</summary>
    HandedBack,

    /// <summary>Its worker died.</summary>
    Lost,
}

/// <summary>A row of <c>checkpoints</c>: the last one of a stage that has not succeeded yet.</summary>
internal sealed class CheckpointRow
{
    public required Guid RunId { get; init; }
    public required string Stage { get; init; }

    /// <summary>The attempt that saved it.</summary>
    public required int Attempt { get; init; }
    public required long Step { get; init; }

    /// <summary>The cache key of the work that it belongs to.</summary>
    public required string Key { get; init; }

    /// <summary>The artifact.</summary>
    public required string Hash { get; init; }
    public DateTimeOffset SavedAt { get; init; }
}

/// <summary>A row of <c>stage_logs</c>.</summary>
internal sealed class StageLogRow
{
    public long Id { get; init; }
    public required Guid RunId { get; init; }
    public required string Stage { get; init; }
    public required int Attempt { get; init; }
    public required DateTimeOffset At { get; init; }
    public required string Text { get; init; }
}

/// <summary>A row of <c>results</c>: what a stage with this cache key gave, whichever run it was in.</summary>
internal sealed class ResultRow
{
    public required string Key { get; init; }
    public required string Outputs { get; init; }
    public required Guid RunId { get; init; }
    public required string Stage { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A row of <c>workers</c>: a process that executes stages.</summary>
internal sealed class WorkerRow
{
    public required string Id { get; init; }
    public required string Host { get; init; }
    public required int Pid { get; init; }
    public required string[] Groups { get; init; }
    public required int Slots { get; init; }

    /// <summary>Stages at once, by group.</summary>
    public string SlotsByGroup { get; init; } = "{}";

    /// <summary>The GPUs that it gives to stages, by PyTorch's names.</summary>
    public string[] Devices { get; init; } = [];

    /// <summary>Set when it was told to take nothing any more.</summary>
    public DateTimeOffset? DrainRequestedAt { get; init; }
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>Database time; a worker not seen for a while is dead.</summary>
    public DateTimeOffset SeenAt { get; init; }
}
