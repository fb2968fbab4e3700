using System.Text.Json;
using Microsoft.EntityFrameworkCore;
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
    /// <summary>The stages that an end, well or not, lets go on.</summary>
    /// <param name="succeeded">The stage, where it ended well; null where it did not.</param>
    /// <param name="bounded">Whether it is in a branch of a bounded fan-out.</param>
    /// <returns>How many became ready, by group.</returns>
    public static async Task<IReadOnlyDictionary<string, int>> LetGoOnAsync(
        PipelinesDb db, Guid run, string? succeeded, bool bounded, CancellationToken cancellation)
    {
        IReadOnlyList<FedStages> fed = succeeded is null ? [] : await FeedAsync(db, run, [succeeded], cancellation);
        return await SettleAsync(db, run, fed, bounded, cancellation);
    }

    /// <summary>Answers for every stage of the run that only waits for its condition: it has just been written.</summary>
    /// <inheritdoc cref="LetGoOnAsync"/>
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

    private static async Task<IReadOnlyDictionary<string, int>> SettleAsync(
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
    private static async Task<IReadOnlyList<FedStages>> FeedAsync(
        PipelinesDb db, Guid run, string[] ended, CancellationToken cancellation) =>
        await db.Database.SqlQuery<FedStages>($"""
            WITH feeds AS (
                SELECT fed, count(*)::int AS times FROM pipelines.stages, unnest(feeds) AS fed
                WHERE run_id = {run} AND id = ANY ({ended}) GROUP BY fed),
            fed AS (
                UPDATE pipelines.stages s SET unfinished_feeders = unfinished_feeders - times,
                    state = CASE WHEN unfinished_feeders = times AND NOT gated THEN 'ready' ELSE state END,
                    ready_at = CASE WHEN unfinished_feeders = times THEN now() END
                FROM feeds WHERE s.run_id = {run} AND s.id = feeds.fed AND s.state = 'waiting'
                RETURNING s.id, s."group", s.state, s.gated AND s.unfinished_feeders = 0 AS asks)
            SELECT "group" AS "Group", (count(*) FILTER (WHERE state = 'ready'))::int AS "Ready",
                coalesce(array_agg(id) FILTER (WHERE asks), ARRAY[]::text[]) AS "Asks"
            FROM fed GROUP BY "group"
            """).ToListAsync(cancellation);
}
