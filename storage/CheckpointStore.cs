using Microsoft.EntityFrameworkCore;

namespace Pipelines.Storage;

/// <summary>The last checkpoint of each stage that has not succeeded yet.</summary>
internal sealed class CheckpointStore(Database database)
{
    /// <param name="key">The cache key of the work: one that was saved for other parameters or inputs is of no use.</param>
    public async Task<(long Step, string Hash)?> FindAsync(StageKey stage, string key, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var found = await db.Checkpoints.AsNoTracking()
            .Where(row => row.RunId == stage.Run && row.Stage == stage.Stage && row.Key == key).ToListAsync(cancellation);
        return found is [var row] ? (row.Step, row.Hash) : null;
    }

    /// <summary>Says in the stage's history where the attempt goes on from.</summary>
    public async Task GoOnAsync(StageKey stage, long step, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.attempts SET from_step = {step}
            WHERE run_id = {stage.Run} AND stage = {stage.Stage} AND attempt = {stage.Attempt}
            """, cancellation);
    }

    /// <summary>Puts a checkpoint in the last one's place.</summary>
    /// <returns>Null when the stage is no longer this attempt's; else the artifacts that no checkpoint names any more.</returns>
    public async Task<IReadOnlyList<string>?> SaveAsync(
        StageKey stage, string key, long step, string hash, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // Shared: the lease may be renewed meanwhile, but the stage cannot be given to another.
        var mine = await db.Database.SqlQuery<int>($"""
            SELECT 1 AS "Value" FROM pipelines.stages WHERE run_id = {stage.Run} AND id = {stage.Stage}
                AND attempt = {stage.Attempt} AND state = 'running' FOR NO KEY UPDATE
            """).ToListAsync(cancellation);
        if (mine.Count == 0)
            return null;
        var before = await db.Checkpoints.AsNoTracking()
            .Where(row => row.RunId == stage.Run && row.Stage == stage.Stage).Select(row => row.Hash).ToListAsync(cancellation);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO pipelines.checkpoints (run_id, stage, attempt, step, key, hash)
            VALUES ({stage.Run}, {stage.Stage}, {stage.Attempt}, {step}, {key}, {hash})
            ON CONFLICT (run_id, stage) DO UPDATE SET attempt = excluded.attempt, step = excluded.step, key = excluded.key,
                hash = excluded.hash, saved_at = now()
            """, cancellation);
        var unused = await UnusedAsync(db, before, cancellation);
        await transaction.CommitAsync(cancellation);
        return unused;
    }

    /// <summary>Forgets the checkpoint of a stage that has succeeded or begins anew.</summary>
    /// <returns>The artifacts that no checkpoint names any more.</returns>
    public async Task<IReadOnlyList<string>> ForgetAsync(Guid run, IReadOnlyCollection<string> stages, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var before = await db.Database.SqlQuery<string>($"""
            DELETE FROM pipelines.checkpoints WHERE run_id = {run} AND stage = ANY ({stages.ToArray()}) RETURNING hash AS "Value"
            """).ToListAsync(cancellation);
        var unused = await UnusedAsync(db, before, cancellation);
        await transaction.CommitAsync(cancellation);
        return unused;
    }

    private static async Task<IReadOnlyList<string>> UnusedAsync(
        PipelinesDb db, List<string> hashes, CancellationToken cancellation)
    {
        if (hashes.Count == 0)
            return [];
        var used = await db.Checkpoints.Where(row => hashes.Contains(row.Hash)).Select(row => row.Hash).ToListAsync(cancellation);
        return [.. hashes.Except(used)];
    }
}
