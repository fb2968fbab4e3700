using Microsoft.EntityFrameworkCore;

namespace Pipelines.Storage;

/// <summary>The processes that execute stages, and whether they live: in database time, so no clock need agree.</summary>
internal sealed class WorkerStore(Database database)
{
    /// <summary>A worker that was not seen for this long is dead.</summary>
    public static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(15);

    /// <summary>Writes the worker down, so that it counts as alive from now on.</summary>
    public async Task JoinAsync(WorkerRow worker, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO pipelines.workers (id, host, pid, groups, slots)
            VALUES ({worker.Id}, {worker.Host}, {worker.Pid}, {worker.Groups}, {worker.Slots})
            ON CONFLICT (id) DO UPDATE SET seen_at = now()
            """, cancellation);
    }

    /// <summary>Takes a worker off the list; the long dead go with it.</summary>
    public async Task LeaveAsync(string worker, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync(
            $"DELETE FROM pipelines.workers WHERE id = {worker} OR seen_at < now() - interval '1 day'", cancellation);
    }

    /// <summary>The workers that were seen in the last day, and what each runs.</summary>
    public async Task<IReadOnlyList<WorkerView>> ListAsync(CancellationToken cancellation)
    {
        await using var db = database.Create();
        return await db.Database.SqlQuery<WorkerView>($"""
            SELECT w.id AS "Id", w.host AS "Host", w.pid AS "Pid", w.groups AS "Groups", w.slots AS "Slots",
                w.started_at AS "Started", extract(epoch FROM now() - w.seen_at)::float8 AS "Silent",
                w.seen_at > now() - {DeadAfter} AS "Alive",
                ARRAY(SELECT s.run_id || '/' || s.id FROM pipelines.stages s
                    WHERE s.worker = w.id AND s.state = 'running' ORDER BY s.started_at) AS "Stages"
            FROM pipelines.workers w ORDER BY w.started_at
            """).ToListAsync(cancellation);
    }

    /// <summary>The slots of the workers that live, by group.</summary>
    public static async Task<Dictionary<string, int>> SlotsAsync(PipelinesDb db, CancellationToken cancellation)
    {
        var groups = await db.Database.SqlQuery<GroupSlots>($"""
            SELECT served AS "Group", sum(slots)::int AS "Slots" FROM pipelines.workers, unnest(groups) AS served
            WHERE seen_at > now() - {DeadAfter} GROUP BY served
            """).ToListAsync(cancellation);
        return groups.ToDictionary(group => group.Group, group => group.Slots);
    }

    /// <summary>Ready stages of these groups that nobody took for a while: their wake must have got lost.</summary>
    public async Task<IReadOnlyList<Wake>> OverdueAsync(
        IReadOnlyList<string> groups, TimeSpan readyFor, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var overdue = await db.Database.SqlQuery<ReadyGroup>($"""
            SELECT "group" AS "Group", (array_agg(run_id ORDER BY ready_at))[1] AS "Run", count(*)::int AS "Count"
            FROM pipelines.stages
            WHERE state = 'ready' AND "group" = ANY ({groups.ToArray()}) AND ready_at <= now() - {readyFor}
            GROUP BY "group"
            """).ToListAsync(cancellation);
        return overdue.ConvertAll(group => new Wake(group.Group, group.Run, group.Count));
    }

    private sealed record ReadyGroup(string Group, Guid Run, int Count);

    private sealed record GroupSlots(string Group, int Slots);
}
