using Microsoft.EntityFrameworkCore;

namespace Pipelines.Storage.Artifacts;

/// <param name="Hash">Of the artifact.</param>
/// <param name="Bytes">Of its files.</param>
/// <param name="Touched">When it was made or last used again.</param>
public sealed record StoredArtifact(string Hash, long Bytes, DateTimeOffset Touched);

/// <param name="Kept">Artifacts that something still needs, or that are too young to judge.</param>
public sealed record GarbageReport(IReadOnlyList<StoredArtifact> Collected, int Kept)
{
    public long Bytes => Collected.Sum(artifact => artifact.Bytes);
}

/// <summary>
/// Takes away artifacts that nothing refers to: no run that is young, under way or one of the last of its workflow, no
/// cached result that is young, no checkpoint. A cached result goes together with its artifact. Runs stay on the list.
/// </summary>
internal sealed class Garbage(Database database, ArtifactDirectory artifacts, TimeProvider time)
{
    /// <summary>Any number will do, so long as every Pipelines asks for the same one.</summary>
    private const long CollectorLock = 7_145_253_002;

    private const string Hash = "sha256:[0-9a-f]{64}";

    /// <summary>What was written or used since may be on its way into the database.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    private static readonly TimeSpan Ever = TimeSpan.FromDays(100_000);

    /// <param name="age">What is younger stays.</param>
    /// <param name="keepLast">Of each workflow so many runs stay, however old.</param>
    /// <param name="dry">Whether only to look.</param>
    /// <exception cref="RunStateException">Another process collects, or the folder is another database's.</exception>
    public async Task<GarbageReport> CollectAsync(
        TimeSpan age, int keepLast, bool dry, Action<int, int> progress, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var free = await db.Database.SqlQuery<bool>($"SELECT pg_try_advisory_xact_lock({CollectorLock}) AS \"Value\"").SingleAsync(cancellation);
        if (!free)
            throw new RunStateException("another process collects garbage at the moment");

        // Looked at before the references: what is recorded meanwhile is either seen there or too young here.
        var youngest = time.GetUtcNow() - (age > Grace ? age : Grace);

        // A stage that has run for hours may have committed what it will record at its end.
        var running = await db.Stages.Where(stage => stage.State == StageState.Running).MinAsync(stage => stage.StartedAt, cancellation);
        if (running < youngest)
            youngest = running.Value - Grace;
        var stored = artifacts.List().ToList();
        var needed = await NeededAsync(db, age, keepLast, cancellation);
        var garbage = stored.Where(artifact => artifact.Touched < youngest && !needed.Contains(artifact.Hash)).ToList();
        if (garbage.Count > 0 && !(await NeededAsync(db, Ever, int.MaxValue, cancellation)).Overlaps(stored.Select(artifact => artifact.Hash)))
            throw new RunStateException("the database names none of the artifacts in this data folder: they are another database's");
        if (!dry && garbage.Count > 0)
        {
            await ForgetAsync(db, garbage, cancellation);
            await transaction.CommitAsync(cancellation);
            foreach (var (index, artifact) in garbage.Index())
            {
                cancellation.ThrowIfCancellationRequested();
                artifacts.Remove(artifact.Hash);
                progress(index + 1, garbage.Count);
            }
        }

        return new GarbageReport(garbage, stored.Count - garbage.Count);
    }

    private static async Task<HashSet<string>> NeededAsync(PipelinesDb db, TimeSpan age, int keepLast, CancellationToken cancellation)
    {
        var hashes = await db.Database.SqlQuery<string>($"""
            WITH kept AS (
                SELECT id FROM (
                    SELECT id, state, finished_at, row_number() OVER (PARTITION BY name ORDER BY created_at DESC) AS place
                    FROM pipelines.runs) run
                WHERE state = 'running' OR finished_at > now() - {age} OR place <= {keepLast})
            SELECT hash[1] AS "Value" FROM pipelines.stages s JOIN kept ON kept.id = s.run_id,
                regexp_matches(s.outputs::text, {Hash}, 'g') AS hash
            UNION
            SELECT hash[1] FROM pipelines.results r, regexp_matches(r.outputs::text, {Hash}, 'g') AS hash
                WHERE r.created_at > now() - {age}
            UNION
            SELECT c.hash FROM pipelines.checkpoints c JOIN pipelines.stages s ON s.run_id = c.run_id AND s.id = c.stage
                WHERE s.state <> 'succeeded'
            """).ToListAsync(cancellation);
        return [.. hashes];
    }

    /// <summary>The cache must not name what is gone.</summary>
    private static Task<int> ForgetAsync(PipelinesDb db, List<StoredArtifact> garbage, CancellationToken cancellation)
    {
        var hashes = garbage.Select(artifact => artifact.Hash).ToArray();
        return db.Database.ExecuteSqlAsync($"""
            DELETE FROM pipelines.results r WHERE EXISTS (
                SELECT FROM regexp_matches(r.outputs::text, {Hash}, 'g') AS hash WHERE hash[1] = ANY ({hashes}));
            DELETE FROM pipelines.checkpoints WHERE hash = ANY ({hashes})
            """, cancellation);
    }
}
