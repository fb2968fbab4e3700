using Microsoft.EntityFrameworkCore;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>Writes the stages of a new run: ten thousand of them in one statement.</summary>
internal static class NewStages
{
    /// <summary>From here on Postgres would plan the claiming of stages badly until it has looked at the table.</summary>
    private const int Many = 1000;

    public static async Task InsertAsync(PipelinesDb db, Guid run, Plan plan, CancellationToken cancellation)
    {
        var feeds = plan.Stages
            .SelectMany(stage => stage.Feeders.Select(feeder => (feeder, stage.Id)))
            .ToLookup(edge => edge.feeder, edge => edge.Id);
        var held = StageTurns.Hold(
            [.. plan.Stages.Select(stage => new TurnStage(stage.Id, true, stage.Turns, []))],
            plan.Stages.Select(stage => stage.Id).ToHashSet());
        var rows = Json.Write(plan.Stages.Select((stage, position) => new
        {
            stage.Id,
            position,
            stage.Kind,
            stage.Version,
            stage.Gpu,
            Group = stage.Group,
            stage.Isolation,
            stage.Cache,
            stage.Retry.Attempts,
            stage.Retry.Backoff,
            stage.Retry.Crashes,
            stage.Timeout,
            Held = held[stage.Id],
            Unfinished = stage.Feeders.Count() + held[stage.Id].Count,
            Feeders = stage.Inputs.Values.SelectMany(input => input.Stages).Distinct(),
            Feeds = feeds[stage.Id],
            stage.Inputs,
            stage.Parameters,
            Gated = stage.Gate is not null,
            Conditions = stage.Gate,
            Branches = stage.Turns.Count > 0 ? stage.Turns : null,
            Variables = stage.Variables.Count > 0 ? stage.Variables : null,
        }));
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO pipelines.stages (run_id, id, position, state, kind, version, gpu, "group", isolation, attempt, failures,
                max_attempts, backoff, crashes, max_crashes, timeout, unfinished_feeders, feeders, feeds, inputs, parameters, ready_at,
                reused, use_cache, gated, conditions, branches, held, variables)
            SELECT {run}, id, position, CASE WHEN unfinished = 0 AND NOT gated THEN 'ready' ELSE 'waiting' END, kind, version, gpu, "group",
                isolation, 0, 0, attempts, backoff, 0, crashes, timeout, unfinished, feeders, feeds, inputs, parameters,
                CASE WHEN unfinished = 0 AND NOT gated THEN now() END, false, cache, gated, conditions, branches, held, variables
            FROM jsonb_to_recordset({rows.GetRawText()}::jsonb) AS stage(id text, position int, kind text, version int,
                gpu int, "group" text, isolation text, cache boolean, attempts int, backoff float8, crashes int, timeout float8,
                unfinished int, feeders text[], feeds text[], inputs jsonb, parameters jsonb, gated boolean, conditions jsonb, branches jsonb, held text[], variables jsonb)
            """, cancellation);
        if (plan.Stages.Count >= Many)
            await db.Database.ExecuteSqlAsync($"ANALYZE pipelines.stages", cancellation);
    }
}
