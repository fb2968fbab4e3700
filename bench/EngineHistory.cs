namespace Pipelines.Bench;

/// <summary>Runs that ended long ago, as the engine leaves them: three stages each, no log, nothing in Quartz.</summary>
internal static class EngineHistory
{
    private const int Stages = 3;

    /// <param name="runs">How many; one statement writes them all.</param>
    public static async Task InsertAsync(EngineDatabase database, int runs, CancellationToken cancellation)
    {
        // Ids grow with time, as those of version 7 do. Statistics afterwards, as autovacuum makes them.
        await database.AskAsync<long>($$"""
            WITH old AS (
                SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid AS id,
                    now() - interval '1 day' - ({{runs}} - i) * interval '1 second' AS at
                FROM generate_series(1, {{runs}}) AS i),
            run AS (
                INSERT INTO pipelines.runs (id, name, state, use_cache, created_at, finished_at, definition, parameters)
                SELECT id, 'bench', 'succeeded', true, at, at + interval '30 ms', jsonb_build_object(
                    'name', 'bench', 'stages', jsonb_build_array(jsonb_build_object('id', 's0', 'kind', 'bench.nothing'))), '{}'
                FROM old),
            stage AS (
                INSERT INTO pipelines.stages (run_id, id, position, state, kind, version, gpu, "group", attempt, failures,
                    max_attempts, unfinished_feeders, feeds, inputs, parameters, ready_at, started_at, finished_at, worker,
                    outputs, cache_key, reused)
                SELECT id, 's' || n, n, 'succeeded', 'bench.nothing', 1, 0, 'cpu', 1, 0, 1, 0,
                    CASE WHEN n < {{Stages - 1}} THEN ARRAY['s' || n + 1] ELSE '{}' END,
                    CASE WHEN n > 0 THEN jsonb_build_object('after', 's' || n - 1 || '.value') ELSE '{}' END,
                    jsonb_build_object('number', n), at, at, at + interval '10 ms', 'host-1-abcdef',
                    '{"value": 1}', encode(sha256(convert_to(id::text || n, 'UTF8')), 'hex'), false
                FROM old, generate_series(0, {{Stages - 1}}) AS n
                RETURNING run_id, id, started_at, finished_at, worker, outputs, cache_key),
            attempt AS (
                INSERT INTO pipelines.attempts (run_id, stage, attempt, worker, started_at, finished_at, outcome)
                SELECT run_id, id, 1, worker, started_at, finished_at, 'succeeded' FROM stage),
            result AS (
                INSERT INTO pipelines.results (key, outputs, run_id, stage, created_at)
                SELECT cache_key, outputs, run_id, id, finished_at FROM stage)
            SELECT count(*) FROM stage
            """, cancellation);
        await database.AskAsync<int>("ANALYZE pipelines.runs, pipelines.stages, pipelines.attempts, pipelines.results; SELECT 1", cancellation);
    }
}
