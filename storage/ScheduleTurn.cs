using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>
/// One schedule, locked by one transaction: nobody else decides about it meanwhile. What is decided is committed together
/// with the runs that it starts, or not at all.
/// </summary>
internal sealed class ScheduleTurn : IAsyncDisposable
{
    private readonly PipelinesDb db;
    private readonly CommitAndWake commit;
    private readonly IDbContextTransaction transaction;
    private readonly List<Wake> wakes = [];

    internal ScheduleTurn(
        PipelinesDb db, CommitAndWake commit, IDbContextTransaction transaction, ScheduleRow row, DateTimeOffset now)
    {
        this.db = db;
        this.commit = commit;
        this.transaction = transaction;
        Row = row;
        Now = now;
    }

    public ScheduleRow Row { get; }

    /// <summary>Database time.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>
    /// The schedule's runs that have not ended, locked: one that ends at this moment either has ended already, or finds
    /// what this turn lets wait for it.
    /// </summary>
    public async Task<IReadOnlyList<Guid>> RunningAsync(CancellationToken cancellation) =>
        await db.Database.SqlQuery<Guid>($"""
            SELECT run.id AS "Value" FROM pipelines.runs run JOIN pipelines.schedule_fires fire ON fire.run_id = run.id
            WHERE run.state = 'running' AND fire.schedule = {Row.Name} ORDER BY run.id FOR UPDATE OF run
            """).ToListAsync(cancellation);

    /// <summary>The time that waits for the previous run to end, if one does.</summary>
    public async Task<DateTimeOffset?> QueuedAsync(CancellationToken cancellation)
    {
        var queued = await db.ScheduleFires
            .Where(fire => fire.Schedule == Row.Name && fire.Outcome == FireOutcome.Queued)
            .Select(fire => fire.FireTime).ToListAsync(cancellation);
        return queued is [var time] ? time : null;
    }

    /// <summary>Writes down what became of a time.</summary>
    /// <returns>False when it was decided before: then nothing may be done about it.</returns>
    public async Task<bool> NoteAsync(
        DateTimeOffset time, bool triggered, FireOutcome outcome, string? reason, CancellationToken cancellation) =>
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO pipelines.schedule_fires (schedule, fire_time, outcome, triggered, reason)
            VALUES ({Row.Name}, {time.ToUniversalTime()}, {Json.Write(outcome).GetString()}, {triggered}, {reason})
            ON CONFLICT (schedule, fire_time) DO NOTHING
            """, cancellation) == 1;

    /// <summary>Queued → Started or Failed; the run follows, if one does.</summary>
    public Task EndWaitAsync(DateTimeOffset time, FireOutcome outcome, string? reason, CancellationToken cancellation) =>
        db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.schedule_fires SET outcome = {Json.Write(outcome).GetString()}, reason = {reason}
            WHERE schedule = {Row.Name} AND fire_time = {time.ToUniversalTime()}
            """, cancellation);

    /// <summary>The run of a time that was written down as started.</summary>
    /// <param name="version">The published version that the plan was made of.</param>
    public async Task<Guid> StartAsync(DateTimeOffset time, Plan plan, CancellationToken cancellation, int? version = null)
    {
        var (run, ready) = await RunStore.InsertAsync(db, plan, new RunRequest(Version: version), cancellation);
        wakes.AddRange(ready);
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.schedule_fires SET run_id = {run}
            WHERE schedule = {Row.Name} AND fire_time = {time.ToUniversalTime()}
            """, cancellation);
        return run;
    }

    /// <inheritdoc cref="RunStore.CancelAsync(Guid, CancellationToken)"/>
    public Task CancelAsync(Guid run, CancellationToken cancellation) => RunStore.CancelAsync(db, run, cancellation);

    /// <summary>From now on it is this; its name, its history and whether it is paused stay.</summary>
    public Task ReplaceAsync(ScheduleRow edited, CancellationToken cancellation) => db.Database.ExecuteSqlAsync($"""
        UPDATE pipelines.schedules SET cron = {edited.Cron}, zone = {edited.Zone}, missed = {Json.Write(edited.Missed).GetString()},
            overlap = {Json.Write(edited.Overlap).GetString()}, definition = {edited.Definition}::jsonb, parameters = {edited.Parameters}::jsonb
        WHERE name = {Row.Name}
        """, cancellation);

    /// <param name="last">Until when the times of the cron are decided.</param>
    /// <param name="next">The first one after that.</param>
    public async Task CommitAsync(DateTimeOffset last, DateTimeOffset? next, CancellationToken cancellation)
    {
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.schedules SET last_fire = {last.ToUniversalTime()}, next_fire = {next?.ToUniversalTime()}
            WHERE name = {Row.Name}
            """, cancellation);
        // Who was kept out by the lock looks again.
        await Channels.NotifyAsync(db, Channels.Schedules, cancellation);
        // A hundred missed times of one stage each wake no more than one run of a hundred stages does.
        var byGroup = wakes.GroupBy(wake => wake.Group)
            .Select(group => group.First() with { Count = group.Sum(wake => wake.Count) });
        await commit(db, [.. byGroup], cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await db.DisposeAsync();
    }
}
