namespace Pipelines.Storage;

/// <summary>One line that a stage logged.</summary>
/// <param name="Id">Rises with time; what the next read continues after.</param>
public sealed record LogLine(long Id, string Stage, int Attempt, DateTimeOffset At, string Text);
