namespace Pipelines.Storage;

/// <summary>No run, or more than one, is called what the user typed. The message says which.</summary>
public sealed class RunLookupException(string message) : Exception(message);

/// <summary>One line that a stage logged.</summary>
/// <param name="Id">Rises with time; what the next read continues after.</param>
public sealed record LogLine(long Id, string Stage, int Attempt, DateTimeOffset At, string Text);

/// <summary>What resuming a run does.</summary>
/// <param name="WillRun">The stages that run (again), in the order of the plan.</param>
/// <param name="Kept">The stages whose results stand.</param>
public sealed record ResumeSummary(IReadOnlyList<string> WillRun, IReadOnlyList<string> Kept);
