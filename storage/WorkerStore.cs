using Microsoft.EntityFrameworkCore;
using Pipelines.Workflows;

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
            INSERT INTO pipelines.workers (id, host, pid, groups, slots, slots_by_group, devices)
            VALUES ({worker.Id}, {worker.Host}, {worker.Pid}, {worker.Groups}, {worker.Slots}, {worker.SlotsByGroup}::jsonb,
                {worker.Devices})
            ON CONFLICT (id) DO UPDATE SET seen_at = now();
            SELECT pg_notify({Channels.Workers}, {worker.Id})
            """, cancellation);
    }

    /// <summary>Takes a worker off the list; the long dead go with it.</summary>
    public async Task LeaveAsync(string worker, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"""
            DELETE FROM pipelines.workers WHERE id = {worker} OR seen_at < now() - interval '1 day';
            SELECT pg_notify({Channels.Workers}, {worker})
            """, cancellation);
    }

    /// <summary>Tells a worker to take nothing any more, to finish or hand back what it runs, and to leave.</summary>
    /// <param name="text">Its id, or a part that no other living worker's id has.</param>
    /// <param name="order">To finish is no answer to having been told to hand back.</param>
    /// <returns>The worker as it was before.</returns>
    /// <exception cref="WorkerLookupException">There is none, it is dead, or there are several.</exception>
    public async Task<WorkerView> DrainAsync(string text, DrainOrder order, CancellationToken cancellation)
    {
        var worker = Find(await ListAsync(cancellation), text);
        // Stages that were begun before this are finished: with -infinity, none.
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.workers
            SET drain_requested_at = CASE WHEN {order == DrainOrder.HandBack} THEN '-infinity' ELSE coalesce(drain_requested_at, now()) END
            WHERE id = {worker.Id};
            SELECT pg_notify({Channels.Drain}, {worker.Id}), pg_notify({Channels.Workers}, {worker.Id})
            """, cancellation);
        return worker;
    }

    /// <summary>The workers that were seen in the last day, and what each runs.</summary>
    public async Task<IReadOnlyList<WorkerView>> ListAsync(CancellationToken cancellation)
    {
        await using var db = database.Create();
        var rows = await db.Database.SqlQuery<Listed>($"""
            SELECT id AS "Id", host AS "Host", pid AS "Pid", slots_by_group::text AS "Slots", devices AS "Devices",
                started_at AS "Started", extract(epoch FROM now() - seen_at)::float8 AS "Silent",
                seen_at > now() - {DeadAfter} AS "Alive", drain_requested_at IS NOT NULL AS "Draining"
            FROM pipelines.workers ORDER BY started_at
            """).ToListAsync(cancellation);
        var running = await db.Stages.Where(stage => stage.State == StageState.Running).OrderBy(stage => stage.StartedAt)
            .Select(stage => new { stage.Worker, stage.RunId, stage.Id, stage.Device }).ToListAsync(cancellation);
        var byWorker = running.ToLookup(stage => stage.Worker, stage => new WorkerStage(stage.RunId, stage.Id, stage.Device ?? "cpu"));
        return rows.ConvertAll(row => View(row, [.. byWorker[row.Id]]));
    }

    /// <summary>The slots of the workers that live and stay, by group.</summary>
    public static async Task<Dictionary<string, int>> SlotsAsync(PipelinesDb db, CancellationToken cancellation)
    {
        var groups = await db.Database.SqlQuery<GroupSlots>($"""
            SELECT served.key AS "Group", sum(served.value::int)::int AS "Slots"
            FROM pipelines.workers, jsonb_each_text(slots_by_group) AS served
            WHERE seen_at > now() - {DeadAfter} AND drain_requested_at IS NULL GROUP BY served.key
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

    private static WorkerView Find(IReadOnlyList<WorkerView> workers, string text)
    {
        var called = workers.Where(worker => worker.Id.Contains(text, StringComparison.Ordinal)).ToList();
        var alive = called.FindAll(worker => worker.State != WorkerState.Dead);
        return (alive.Find(worker => worker.Id == text), alive, called) switch
        {
            ({ } exact, _, _) => exact,
            (_, [var only], _) => only,
            (_, [], []) => throw new WorkerLookupException($"no worker's id contains '{text}'; pipelines workers lists them"),
            (_, [], [var dead, ..]) => throw new WorkerLookupException(
                $"worker {dead.Id} is dead: it was last seen {dead.Silent:0} s ago, and others take what it ran"),
            _ => throw new WorkerLookupException(
                $"the ids of several workers contain '{text}': {string.Join(", ", alive.Select(worker => worker.Id))}"),
        };
    }

    private static WorkerView View(Listed row, IReadOnlyList<WorkerStage> stages)
    {
        var state = row switch
        {
            { Alive: false } => WorkerState.Dead,
            { Draining: true } => WorkerState.Draining,
            _ => stages.Count > 0 ? WorkerState.Working : WorkerState.Idle,
        };
        return new WorkerView(
            row.Id, row.Host, row.Pid, state, Json.Read<Dictionary<string, int>>(row.Slots), row.Devices, row.Started,
            row.Silent, stages);
    }

    private sealed record Listed(
        string Id, string Host, int Pid, string Slots, string[] Devices, DateTimeOffset Started, double Silent, bool Alive, bool Draining);

    private sealed record ReadyGroup(string Group, Guid Run, int Count);

    private sealed record GroupSlots(string Group, int Slots);
}
