using Microsoft.EntityFrameworkCore;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>Schedules: kept, paused, and taken one at a time when something is due, all in database time.</summary>
internal sealed class ScheduleStore(Database database, CommitAndWake commit)
{
    /// <returns>False when there is a schedule of this name.</returns>
    public async Task<bool> AddAsync(ScheduleRow row, CancellationToken cancellation) => 1 == await ChangeAsync(
        db => db.Database.ExecuteSqlAsync($"""
            INSERT INTO pipelines.schedules (name, cron, zone, missed, overlap, definition, parameters, last_fire, next_fire)
            VALUES ({row.Name}, {row.Cron}, {row.Zone}, {Json.Write(row.Missed).GetString()},
                {Json.Write(row.Overlap).GetString()}, {row.Definition}::jsonb, {row.Parameters}::jsonb,
                {row.LastFire.ToUniversalTime()}, {row.NextFire?.ToUniversalTime()})
            ON CONFLICT (name) DO NOTHING
            """, cancellation), cancellation);

    /// <summary>From now on its times pass, and what waited for the previous run is dropped. Runs go on.</summary>
    /// <returns>False when there is no such schedule.</returns>
    public async Task<bool> PauseAsync(string name, string? reason, CancellationToken cancellation) => 1 == await ChangeAsync(
        async db =>
        {
            // The schedule first, as whoever decides about it does.
            var paused = await db.Database.ExecuteSqlAsync($"""
                UPDATE pipelines.schedules SET paused_at = coalesce(paused_at, now()), pause_reason = {reason}
                WHERE name = {name}
                """, cancellation);
            await db.Database.ExecuteSqlAsync($"""
                UPDATE pipelines.schedule_fires SET outcome = 'skipped', reason = 'the schedule was paused'
                WHERE schedule = {name} AND outcome = 'queued'
                """, cancellation);
            return paused;
        }, cancellation);

    /// <param name="now">From when its times count again; those before were paused, not missed.</param>
    /// <param name="next">The first one after that.</param>
    public Task ResumeAsync(string name, DateTimeOffset now, DateTimeOffset? next, CancellationToken cancellation) => ChangeAsync(
        db => db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.schedules SET paused_at = NULL, pause_reason = NULL,
                last_fire = {now.ToUniversalTime()}, next_fire = {next?.ToUniversalTime()}
            WHERE name = {name} AND paused_at IS NOT NULL
            """, cancellation), cancellation);

    /// <summary>Its history goes too; its runs stay.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public async Task<bool> RemoveAsync(string name, CancellationToken cancellation) => 1 == await ChangeAsync(
        db => db.Database.ExecuteSqlAsync($"DELETE FROM pipelines.schedules WHERE name = {name}", cancellation), cancellation);

    /// <summary>
    /// The schedule that has been due for longest and that nobody else is deciding about: a time of its cron has come, or
    /// what waited for the previous run may start.
    /// </summary>
    /// <param name="except">Schedules that are not wanted.</param>
    public Task<ScheduleTurn?> TakeDueAsync(IEnumerable<string> except, CancellationToken cancellation)
    {
        var tried = except.ToArray();
        return TakeAsync(
            db => db.Schedules.FromSql($"""
                SELECT schedule.* FROM pipelines.schedules schedule
                WHERE paused_at IS NULL AND name <> ALL ({tried}) AND (
                    next_fire <= clock_timestamp()
                    OR EXISTS (SELECT FROM pipelines.schedule_fires WHERE schedule = name AND outcome = 'queued')
                    AND NOT EXISTS (
                        SELECT FROM pipelines.schedule_fires fire JOIN pipelines.runs run ON run.id = fire.run_id
                        WHERE fire.schedule = name AND run.state = 'running'))
                ORDER BY next_fire LIMIT 1 FOR UPDATE SKIP LOCKED
                """),
            cancellation);
    }

    /// <summary>This schedule, once nobody else is deciding about it; null when there is none.</summary>
    public Task<ScheduleTurn?> TakeAsync(string name, CancellationToken cancellation) => TakeAsync(
        db => db.Schedules.FromSql($"SELECT * FROM pipelines.schedules WHERE name = {name} FOR UPDATE"), cancellation);

    /// <summary>How long it is until the next time to come of any schedule; null for none.</summary>
    public async Task<TimeSpan?> UntilNextAsync(CancellationToken cancellation)
    {
        await using var db = database.Create();
        return (await db.Database.SqlQuery<TimeSpan?>($"""
            SELECT min(next_fire) - clock_timestamp() AS "Value" FROM pipelines.schedules
            WHERE paused_at IS NULL AND next_fire > clock_timestamp()
            """).ToListAsync(cancellation))[0];
    }

    public async Task<DateTimeOffset> NowAsync(CancellationToken cancellation)
    {
        await using var db = database.Create();
        return await NowAsync(db, cancellation);
    }

    private async Task<ScheduleTurn?> TakeAsync(
        Func<PipelinesDb, IQueryable<ScheduleRow>> choose, CancellationToken cancellation)
    {
        var db = database.Create();
        try
        {
            var transaction = await db.Database.BeginTransactionAsync(cancellation);
            if (await choose(db).AsNoTracking().ToListAsync(cancellation) is [var row])
                return new ScheduleTurn(db, commit, transaction, row, await NowAsync(db, cancellation));
        }
        catch
        {
            await db.DisposeAsync();
            throw;
        }

        await db.DisposeAsync();
        return null;
    }

    private static async Task<DateTimeOffset> NowAsync(PipelinesDb db, CancellationToken cancellation) =>
        (await db.Database.SqlQuery<DateTimeOffset>($"SELECT clock_timestamp() AS \"Value\"").ToListAsync(cancellation))[0];

    private async Task<int> ChangeAsync(Func<PipelinesDb, Task<int>> change, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var changed = await change(db);
        await Channels.NotifyAsync(db, Channels.Schedules, cancellation);
        await transaction.CommitAsync(cancellation);
        return changed;
    }
}
