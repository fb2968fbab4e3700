using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>Stages of a group whose last feeder has ended.</summary>
/// <param name="Ready">So many can run.</param>
/// <param name="Asks">Those that may turn out to be skipped.</param>
internal sealed record FedStages(string Group, int Ready, string[] Asks);

/// <summary>
/// What becomes of the stages that wait when one has ended, in the transaction in which it ended and under the run's lock.
/// </summary>
internal static class Successors
{
    /// <summary>Answers for every stage of the run that only waits for its condition: it has just been written.</summary>
    /// <returns>How many stages are ready, by group.</returns>
    public static async Task<IReadOnlyDictionary<string, int>> BeginAsync(PipelinesDb db, Guid run, CancellationToken cancellation)
    {
        var asks = await db.Stages.Where(
                stage => stage.RunId == run && stage.State == StageState.Waiting && stage.UnfinishedFeeders == 0)
            .OrderBy(stage => stage.Position).Select(stage => stage.Id).ToArrayAsync(cancellation);
        await SettleAsync(db, run, [new FedStages(StageGroup.Cpu, 0, asks)], false, cancellation);
        return await db.Stages.Where(stage => stage.RunId == run && stage.State == StageState.Ready)
            .GroupBy(stage => stage.Group).ToDictionaryAsync(group => group.Key, group => group.Count(), cancellation);
    }

    /// <summary>What a failed stage feeds → Blocked, all the way down.</summary>
    /// <returns>Whether a branch of a bounded fan-out may have ended with it.</returns>
    public static async Task<bool> BlockBelowAsync(PipelinesDb db, Guid run, string stage, CancellationToken cancellation)
    {
        var blocked = await db.Database.SqlQuery<bool>($"""
            WITH RECURSIVE below(id) AS (
                SELECT unnest(feeds) FROM pipelines.stages WHERE run_id = {run} AND id = {stage}
                UNION
                SELECT unnest(s.feeds) FROM below JOIN pipelines.stages s ON s.run_id = {run} AND s.id = below.id)
            UPDATE pipelines.stages s SET state = 'blocked' FROM below
            WHERE s.run_id = {run} AND s.id = below.id AND s.state = 'waiting'
            RETURNING s.branches IS NOT NULL AS "Value"
            """).ToListAsync(cancellation);
        return blocked.Contains(true);
    }

    /// <summary>Goes on with what an end has fed: conditions are answered, and turns taken.</summary>
    /// <param name="bounded">Whether a branch of a bounded fan-out may have ended.</param>
    /// <returns>How many stages became ready, by group.</returns>
    public static async Task<IReadOnlyDictionary<string, int>> SettleAsync(
        PipelinesDb db, Guid run, IReadOnlyList<FedStages> fed, bool bounded, CancellationToken cancellation)
    {
        var ready = new Dictionary<string, int>();
        while (true)
        {
            foreach (var group in fed.Where(group => group.Ready > 0))
                ready[group.Group] = ready.GetValueOrDefault(group.Group) + group.Ready;
            var asks = fed.SelectMany(group => group.Asks).ToArray();
            if (asks.Length > 0)
                (fed, bounded) = await AnswerAsync(db, run, asks, ready, bounded, cancellation);
            else if (bounded)
                (fed, bounded) = (await StageTurns.AdvanceAsync(db, run, cancellation), false);
            else
                return ready;
        }
    }

    /// <returns>What was fed by stages that were skipped, and whether a branch of a bounded fan-out may have ended.</returns>
    private static async Task<(IReadOnlyList<FedStages> Fed, bool Bounded)> AnswerAsync(
        PipelinesDb db, Guid run, string[] asks, Dictionary<string, int> ready, bool bounded, CancellationToken cancellation)
    {
        var stages = await db.Stages.AsNoTracking().Where(stage => stage.RunId == run && asks.Contains(stage.Id))
            .OrderBy(stage => stage.Position).ToListAsync(cancellation);
        var gates = stages.ConvertAll(stage => (
            Stage: stage, Gate: Json.Read<PlannedGate>(stage.Conditions!),
            Inputs: Json.Read<Dictionary<string, PlannedInput>>(stage.Inputs)));
        var feeders = gates.SelectMany(one => one.Inputs.Values.SelectMany(input => input.Stages)
            .Concat(one.Gate.Conditions.SelectMany(condition => condition.Stages))).Distinct().ToArray();
        var outputs = await OutputsAsync(db, run, feeders, cancellation);
        var skipped = new List<string>();
        foreach (var (stage, gate, inputs) in gates)
        {
            var gating = Gating.Of(gate, inputs, id => outputs.GetValueOrDefault(id));
            await WriteAsync(db, stage, gating, cancellation);
            if (gating.State == StageState.Ready)
            {
                ready[stage.Group] = ready.GetValueOrDefault(stage.Group) + 1;
                continue;
            }

            bounded |= stage.Branches is not null;
            if (gating.State == StageState.Failed)
                bounded |= await BlockBelowAsync(db, run, stage.Id, cancellation);
            else
                skipped.Add(stage.Id);
        }

        return (skipped.Count > 0 ? await FeedAsync(db, run, [.. skipped], cancellation) : [], bounded);
    }

    /// <summary>The outputs of those stages that have some.</summary>
    public static async Task<Dictionary<string, JsonElement?>> OutputsAsync(
        PipelinesDb db, Guid run, string[] stages, CancellationToken cancellation)
    {
        var rows = await db.Stages.Where(stage => stage.RunId == run && stages.Contains(stage.Id) && stage.Outputs != null)
            .Select(stage => new { stage.Id, stage.Outputs }).ToListAsync(cancellation);
        return rows.ToDictionary(row => row.Id, row => (JsonElement?)Json.Read<JsonElement>(row.Outputs!));
    }

    private static Task<int> WriteAsync(PipelinesDb db, StageRow stage, Gating gating, CancellationToken cancellation)
    {
        var state = Json.Write(gating.State).GetString();
        var error = gating.State == StageState.Failed ? gating.Reason : null;
        var reason = error is null ? gating.Reason : null;
        return db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.stages SET state = {state}, reason = {reason}, error = {error}, ready_at = now(),
                finished_at = CASE {state} WHEN 'ready' THEN NULL ELSE now() END
            WHERE run_id = {stage.RunId} AND id = {stage.Id}
            """, cancellation);
    }

    /// <summary>Takes these stages off the count of what the stages that they feed wait for.</summary>
    public static NpgsqlBatchCommand FeedCommand(Guid run, string[] ended) => Batch.Command("""
        WITH feeds AS (
            SELECT fed, count(*)::int AS times FROM pipelines.stages, unnest(feeds) AS fed
            WHERE run_id = @run AND id = ANY (@ended) GROUP BY fed),
        fed AS (
            UPDATE pipelines.stages s SET unfinished_feeders = unfinished_feeders - times,
                state = CASE WHEN unfinished_feeders = times AND NOT gated THEN 'ready' ELSE state END,
                ready_at = CASE WHEN unfinished_feeders = times THEN now() END
            FROM feeds WHERE s.run_id = @run AND s.id = feeds.fed AND s.state = 'waiting'
            RETURNING s.id, s."group", s.state, s.gated AND s.unfinished_feeders = 0 AS asks)
        SELECT "group", (count(*) FILTER (WHERE state = 'ready'))::int,
            coalesce(array_agg(id) FILTER (WHERE asks), ARRAY[]::text[])
        FROM fed GROUP BY "group"
        """, ("run", run), ("ended", ended));

    public static FedStages Read(NpgsqlDataReader row) => new(row.GetString(0), row.GetInt32(1), row.GetFieldValue<string[]>(2));

    private static async Task<IReadOnlyList<FedStages>> FeedAsync(
        PipelinesDb db, Guid run, string[] ended, CancellationToken cancellation)
    {
        var fed = new List<FedStages>();
        await using var reader = await Batch.ReadAsync(db, [FeedCommand(run, ended)], cancellation);
        while (await reader.ReadAsync(cancellation))
            fed.Add(Read(reader));
        return fed;
    }
}
