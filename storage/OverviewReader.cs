using Microsoft.EntityFrameworkCore;

namespace Pipelines.Storage;

/// <summary>What there is to know before one can say whether anything is wrong; a handful of counts, all in database time.</summary>
internal sealed class OverviewReader(Database database)
{
    public async Task<Overview> ReadAsync(CancellationToken cancellation)
    {
        await using var db = database.Create();
        var runs = (await db.Database.SqlQuery<RunCounts>($"""
            SELECT count(*) FILTER (WHERE state = 'running')::int AS "Running",
                count(*) FILTER (WHERE state = 'succeeded')::int AS "Succeeded",
                count(*) FILTER (WHERE state = 'failed')::int AS "Failed",
                count(*) FILTER (WHERE state = 'cancelled')::int AS "Cancelled"
            FROM pipelines.runs WHERE state = 'running' OR finished_at > now() - interval '1 day'
            """).ToListAsync(cancellation))[0];
        var failed = await db.Database.SqlQuery<NamedRun>($"""
            SELECT id AS "Id", name AS "Name" FROM pipelines.runs
            WHERE state = 'failed' AND finished_at > now() - interval '1 day' ORDER BY finished_at DESC LIMIT 1
            """).ToListAsync(cancellation);
        var served = await WorkerStore.SlotsAsync(db, cancellation);
        var ready = await db.Database.SqlQuery<ReadyStages>($"""
            SELECT "group" AS "Group", count(*)::int AS "Count", (array_agg(run_id ORDER BY ready_at))[1] AS "Run",
                extract(epoch FROM now() - min(ready_at))::float8 AS "OldestSeconds"
            FROM pipelines.stages WHERE state = 'ready' AND ready_at <= now() GROUP BY "group"
            """).ToListAsync(cancellation);
        var running = await db.Stages.CountAsync(stage => stage.State == StageState.Running, cancellation);
        var schedules = await db.Database.SqlQuery<ScheduleCounts>($"""
            SELECT name AS "Name", paused_at IS NOT NULL AS "Paused", pause_reason AS "PauseReason",
                (SELECT count(*) FROM pipelines.schedule_fires fire
                    WHERE fire.schedule = name AND outcome = 'failed' AND decided_at > now() - interval '1 day')::int AS "Failed",
                (SELECT count(*) FROM pipelines.schedule_fires fire
                    WHERE fire.schedule = name AND outcome = 'skipped' AND decided_at > now() - interval '1 day')::int AS "Skipped"
            FROM pipelines.schedules ORDER BY name
            """).ToListAsync(cancellation);
        var workers = await new WorkerStore(database).ListAsync(cancellation);
        return new Overview(runs, failed is [var last] ? last : null, ready, [.. served.Keys.Order()], running, schedules, workers);
    }
}

/// <param name="LastFailed">Of the last day.</param>
/// <param name="Ready">By the group of workers that they wait for.</param>
/// <param name="Served">The groups that living workers serve.</param>
/// <param name="RunningStages">How many are being computed.</param>
/// <param name="Schedules">By name.</param>
public sealed record Overview(
    RunCounts Runs, NamedRun? LastFailed, IReadOnlyList<ReadyStages> Ready, IReadOnlyList<string> Served, int RunningStages,
    IReadOnlyList<ScheduleCounts> Schedules, IReadOnlyList<WorkerView> Workers);

/// <summary>Runs that run now, and those that ended in the last day.</summary>
public sealed record RunCounts(int Running, int Succeeded, int Failed, int Cancelled);

public sealed record NamedRun(Guid Id, string Name);

/// <param name="Run">Whose stage has waited for longest.</param>
public sealed record ReadyStages(string Group, int Count, Guid Run, double OldestSeconds);

/// <summary>What went wrong with a schedule in the last day.</summary>
public sealed record ScheduleCounts(string Name, bool Paused, string? PauseReason, int Failed, int Skipped);
