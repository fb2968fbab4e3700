using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>Ready → Running, in one statement: what the slot needs comes back with it.</summary>
internal static class StageClaims
{
    // What a stage of the slot's last run waits in has an index of its own, so the two are looked for one after the other.
    private const string Text = """
        WITH own AS (
            SELECT run_id, id FROM pipelines.stages
            WHERE run_id = @run AND state = 'ready' AND ready_at <= now() AND "group" = ANY (@groups)
            ORDER BY ready_at, position LIMIT 1 FOR UPDATE SKIP LOCKED),
        oldest AS (
            SELECT run_id, id FROM pipelines.stages
            WHERE NOT EXISTS (SELECT FROM own) AND state = 'ready' AND ready_at <= now() AND "group" = ANY (@groups)
            ORDER BY ready_at, position LIMIT 1 FOR UPDATE SKIP LOCKED),
        claimed AS (
            UPDATE pipelines.stages s SET state = 'running', attempt = s.attempt + 1, worker = @worker, device = @device,
                started_at = now(), finished_at = NULL, progress = NULL, lease_until = clock_timestamp() + @lease
            FROM (SELECT * FROM own UNION ALL SELECT * FROM oldest) AS next
            WHERE s.run_id = next.run_id AND s.id = next.id
            RETURNING s.*),
        begun AS (
            INSERT INTO pipelines.attempts (run_id, stage, attempt, worker, device)
            SELECT run_id, id, attempt, @worker, @device FROM claimed)
        SELECT c.run_id, c.id, c.attempt, c.kind, c.version, c."group", c.parameters::text, c.inputs::text,
            (SELECT jsonb_object_agg(f.id, f.outputs)::text FROM pipelines.stages f
                WHERE f.run_id = c.run_id AND f.id = ANY (c.feeders) AND f.outputs IS NOT NULL),
            r.use_cache, c.use_cache, c.fresh, c.timeout, c.isolation, c.branches IS NOT NULL,
            pg_notify(@channel, c.run_id::text)::text
        FROM claimed c JOIN pipelines.runs r ON r.id = c.run_id
        """;

    /// <summary>First a stage of the run that the slot has just worked for, then the oldest.</summary>
    /// <param name="device">What the slot gives to the stage.</param>
    public static async Task<StageClaim?> ClaimAsync(
        Database database, TimeSpan lease, string worker, IReadOnlyList<string> groups, string device, Guid? lastRun,
        CancellationToken cancellation)
    {
        await using var command = database.Source.CreateCommand(Text);
        command.Parameters.Add(new NpgsqlParameter("run", NpgsqlDbType.Uuid) { Value = (object?)lastRun ?? DBNull.Value });
        command.Parameters.AddWithValue("groups", groups.ToArray());
        command.Parameters.AddWithValue("worker", worker);
        command.Parameters.AddWithValue("device", device);
        command.Parameters.AddWithValue("lease", lease);
        command.Parameters.AddWithValue("channel", Channels.RunChanged);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? Read(reader, groups, device) : null;
    }

    private static StageClaim Read(NpgsqlDataReader row, IReadOnlyList<string> groups, string device) => new(
        row.GetGuid(0), row.GetString(1), row.GetInt32(2), row.GetString(3), row.GetInt32(4), row.GetString(5),
        Json.Read<JsonElement>(row.GetString(6)), Inputs(row.GetString(7), row.IsDBNull(8) ? null : row.GetString(8)),
        row.GetBoolean(9), Anew(row.GetBoolean(10), row.GetBoolean(11)), row.IsDBNull(12) ? null : row.GetDouble(12),
        PipelinesDb.Words<Isolation>.Read(row.GetString(13)), row.GetBoolean(14), groups, device);

    private static string? Anew(bool useCache, bool fresh) => (useCache, fresh) switch
    {
        (false, _) => "the stage does without stored results",
        (_, true) => "it was asked for again",
        _ => null,
    };

    /// <param name="made">By stage the outputs of those that feed it and were not skipped.</param>
    private static JsonElement Inputs(string sources, string? made)
    {
        var outputs = made is null ? [] : Json.Read<Dictionary<string, JsonElement>>(made);
        return Json.Write(PlannedInput.Values(
            Json.Read<Dictionary<string, PlannedInput>>(sources), id => outputs.TryGetValue(id, out var found) ? found : null));
    }
}
