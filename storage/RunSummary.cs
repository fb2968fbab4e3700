namespace Pipelines.Storage;

/// <summary>Which runs to list, the newest first.</summary>
/// <param name="Before">Only those that were started before this one.</param>
/// <param name="Name">A part of the workflow's name, in whatever case.</param>
public sealed record RunFilter(int Limit, Guid? Before = null, RunState? State = null, string? Name = null);

/// <summary>A run without its document and its stages: what a list shows.</summary>
/// <param name="Version">The published version of its definition; null when it was started from a document.</param>
/// <param name="StartedBy">The name of the token that it was started with.</param>
/// <param name="Counts">How many of its stages are in each state that some are in.</param>
public sealed record RunSummary(
    Guid Id, string Name, RunState State, DateTimeOffset Created, DateTimeOffset? Finished, int? Version, string? StartedBy,
    IReadOnlyDictionary<StageState, int> Counts);

/// <summary>One attempt of a stage.</summary>
/// <param name="Number">From 1.</param>
/// <param name="FromStep">The step of the checkpoint that it went on from; null when it began at the beginning.</param>
/// <param name="Outcome">Null while it runs.</param>
/// <param name="ExitCode">Of its process, where it had one of its own.</param>
public sealed record AttemptView(
    int Number, string Worker, string? Device, DateTimeOffset Started, DateTimeOffset? Finished, AttemptOutcome? Outcome, int? ExitCode,
    string? Error, long? FromStep);
