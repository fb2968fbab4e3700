namespace Pipelines.Storage;

/// <summary>How a run is asked for, besides its plan.</summary>
/// <param name="UseCache">Whether stored results may stand for its stages.</param>
/// <param name="Key">
/// What whoever asks calls this run: a second start of the same key gives the first one's run, also when both ask at once or the
/// first never heard the answer. Null for a run of its own.
/// </param>
/// <param name="Version">The published version of its definition; null when it is started from a document.</param>
/// <param name="By">The name of the token that it is started with; null without one.</param>
public sealed record RunRequest(bool UseCache = true, string? Key = null, int? Version = null, string? By = null);
