using Microsoft.EntityFrameworkCore;

namespace Pipelines.Storage;

/// <summary>How much there is of what, for those who watch over the whole.</summary>
/// <param name="Backlog">Stages that are ready, by group.</param>
/// <param name="OldestReady">Seconds that the oldest of them has been ready, by group.</param>
/// <param name="Workers">Those that live, by group.</param>
internal sealed record Statistics(
    IReadOnlyDictionary<RunState, long> Runs, IReadOnlyDictionary<StageState, long> Stages, IReadOnlyDictionary<string, long> Backlog,
    IReadOnlyDictionary<string, double> OldestReady, IReadOnlyDictionary<string, long> Workers)
{
    public static async Task<Statistics> ReadAsync(Database database, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var runs = await db.Runs.GroupBy(run => run.State).Select(group => new { group.Key, Count = group.LongCount() })
            .ToDictionaryAsync(group => group.Key, group => group.Count, cancellation);
        var stages = await db.Stages.GroupBy(stage => stage.State).Select(group => new { group.Key, Count = group.LongCount() })
            .ToDictionaryAsync(group => group.Key, group => group.Count, cancellation);
        // What waits for the pause before its next attempt is no backlog.
        var ready = await db.Database.SqlQuery<Ready>($"""
            SELECT "group" AS "Group", count(*) AS "Count", extract(epoch FROM now() - min(ready_at))::float8 AS "Age"
            FROM pipelines.stages WHERE state = 'ready' AND ready_at <= now() GROUP BY "group"
            """).ToListAsync(cancellation);
        var workers = await db.Database.SqlQuery<Served>($"""
            SELECT served AS "Group", count(*) AS "Count" FROM pipelines.workers, unnest(groups) AS served
            WHERE seen_at > now() - {WorkerStore.DeadAfter} GROUP BY served
            """).ToListAsync(cancellation);
        return new Statistics(
            runs, stages, ready.ToDictionary(group => group.Group, group => group.Count),
            ready.ToDictionary(group => group.Group, group => group.Age), workers.ToDictionary(group => group.Group, group => group.Count));
    }

    private sealed record Ready(string Group, long Count, double Age);

    private sealed record Served(string Group, long Count);
}
