namespace Pipelines.Storage;

/// <summary>Stages of a run became ready for the workers that serve a group.</summary>
/// <param name="Count">How many became ready; fewer slots than that may be woken.</param>
/// <param name="After">Not before this much has passed; null for at once.</param>
internal sealed record Wake(string Group, Guid Run, int Count, TimeSpan? After = null);

/// <summary>
/// Commits the transaction that <paramref name="db"/> is in together with the wakes of the workers: both happen or neither. Storage knows what became
/// ready, the engine knows how workers are woken.
/// </summary>
internal delegate Task CommitAndWake(PipelinesDb db, IReadOnlyList<Wake> wakes, CancellationToken cancellation);
