namespace Pipelines.Storage;

/// <summary>What resuming a run does.</summary>
/// <param name="WillRun">The stages that run (again), in the order of the plan.</param>
/// <param name="Kept">The stages whose results stand.</param>
public sealed record ResumeSummary(IReadOnlyList<string> WillRun, IReadOnlyList<string> Kept);
