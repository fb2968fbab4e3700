using Microsoft.EntityFrameworkCore;

namespace Pipelines.Storage;

/// <summary>What Postgres tells the processes that listen, when the transaction that says it commits.</summary>
internal static class Channels
{
    /// <summary>Payload: the run's id.</summary>
    public const string RunChanged = "pipelines_run";

    /// <summary>Payload: the run's id. Whoever runs one of its stages stops it.</summary>
    public const string RunCancelled = "pipelines_cancel";

    /// <summary>A wake was scheduled.</summary>
    public const string Wake = "pipelines_wake";

    /// <summary>A schedule was changed, or may now start what it had waiting.</summary>
    public const string Schedules = "pipelines_schedules";

    /// <summary>Payload: the worker's id. It was told to take nothing any more.</summary>
    public const string Drain = "pipelines_drain";

    /// <summary>Payload: the definition's name. It was saved, published or deleted.</summary>
    public const string Definitions = "pipelines_definitions";

    /// <summary>Told when the transaction that <paramref name="db"/> is in commits.</summary>
    public static Task NotifyAsync(PipelinesDb db, string channel, Guid run, CancellationToken cancellation) =>
        NotifyAsync(db, channel, run.ToString(), cancellation);

    /// <inheritdoc cref="NotifyAsync(PipelinesDb, string, Guid, CancellationToken)"/>
    public static Task NotifyAsync(PipelinesDb db, string channel, string payload, CancellationToken cancellation) =>
        db.Database.ExecuteSqlAsync($"SELECT pg_notify({channel}, {payload})", cancellation);

    /// <inheritdoc cref="NotifyAsync(PipelinesDb, string, Guid, CancellationToken)"/>
    public static Task NotifyAsync(PipelinesDb db, string channel, CancellationToken cancellation) =>
        NotifyAsync(db, channel, "", cancellation);
}
