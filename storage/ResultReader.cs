using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>What stages gave, by the keys that name their work.</summary>
internal sealed class ResultReader(Database database)
{
    /// <summary>So many earlier runs are looked through for what a stage's key was.</summary>
    private const int MostCompared = 20;

    /// <summary>
    /// What a stage with this key gave, in whatever run; and the key that this stage had when the workflow was run before.
    /// </summary>
    public Task<(JsonElement? Outputs, CacheKey? Before)> FindAsync(StageClaim claim, CacheKey key, CancellationToken cancellation) =>
        FindAsync(key, claim.Stage, claim.Run, null, cancellation);

    /// <summary>The same for a run that was not started yet.</summary>
    /// <param name="workflow">Its name.</param>
    public Task<(JsonElement? Outputs, CacheKey? Before)> FindAsync(
        string workflow, string stage, CacheKey key, CancellationToken cancellation) =>
        FindAsync(key, stage, null, workflow, cancellation);

    private async Task<(JsonElement? Outputs, CacheKey? Before)> FindAsync(
        CacheKey key, string stage, Guid? run, string? workflow, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var found = await db.Database.SqlQuery<Stored>($"""
            SELECT (SELECT outputs::text FROM pipelines.results WHERE key = {key.Name}) AS "Outputs",
                (SELECT s.key_parts::text FROM (
                        SELECT id, created_at FROM pipelines.runs
                        WHERE name = coalesce({workflow}::text, (SELECT name FROM pipelines.runs WHERE id = {run}::uuid))
                            AND created_at < coalesce((SELECT created_at FROM pipelines.runs WHERE id = {run}::uuid), 'infinity')
                        ORDER BY created_at DESC LIMIT {MostCompared}) AS earlier
                    JOIN pipelines.stages s ON s.run_id = earlier.id AND s.id = {stage} AND s.key_parts IS NOT NULL
                    ORDER BY earlier.created_at DESC LIMIT 1) AS "Before"
            """).ToListAsync(cancellation);
        return (
            found[0].Outputs is { } outputs ? Json.Read<JsonElement>(outputs) : null,
            found[0].Before is { } before ? Json.Read<CacheKey>(before) : null);
    }

    private sealed record Stored(string? Outputs, string? Before);
}
