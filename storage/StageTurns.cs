using Microsoft.EntityFrameworkCore;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>A stage as far as bounded fan-outs are concerned.</summary>
/// <param name="Open">Whether it has not ended.</param>
/// <param name="Held">The branches whose turn it waits for.</param>
internal sealed record TurnStage(string Id, bool Open, IReadOnlyList<PlannedTurn> Turns, IReadOnlyCollection<string> Held);

/// <summary>
/// Bounded fan-outs: so many branches are under way at once, and when one has ended the next takes its turn. Until then
/// its stages hold an unfinished feeder more.
/// </summary>
internal static class StageTurns
{
    /// <summary>By stage, the branches whose turn it has to wait for when <paramref name="anew"/> begin.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Hold(
        IReadOnlyList<TurnStage> stages, IReadOnlySet<string> anew)
    {
        var waiting = stages.Select(stage => anew.Contains(stage.Id)
            ? stage with { Open = true, Held = [.. stage.Turns.Select(turn => turn.ToString())] }
            : stage).ToList();
        var admitted = Admitted(waiting);
        return waiting.ToDictionary(
            stage => stage.Id, stage => (IReadOnlyList<string>)[.. stage.Held.Where(branch => !admitted.Contains(branch))]);
    }

    /// <summary>The branches that nothing keeps from going on: those that began, and as many more as there is room for.</summary>
    public static IReadOnlySet<string> Admitted(IEnumerable<TurnStage> stages)
    {
        var admitted = new HashSet<string>();
        var open = stages.Where(stage => stage.Open).SelectMany(stage => stage.Turns.Select(turn => (stage, turn)));
        foreach (var lane in open.GroupBy(entry => entry.turn.Lane))
        {
            var branches = lane.GroupBy(entry => entry.turn).OrderBy(branch => branch.Key.Index).ToList();
            var begun = branches.Where(branch => branch.Any(entry => !entry.stage.Held.Contains(branch.Key.ToString()))).ToList();
            var room = branches[0].Key.Parallel - begun.Count;
            admitted.UnionWith(begun.Concat(branches.Except(begun).Take(Math.Max(0, room))).Select(branch => branch.Key.ToString()));
        }

        return admitted;
    }

    /// <summary>Lets the branches go on whose turn has come.</summary>
    public static async Task<IReadOnlyList<FedStages>> AdvanceAsync(PipelinesDb db, Guid run, CancellationToken cancellation)
    {
        var rows = await db.Stages.AsNoTracking().Where(stage => stage.RunId == run && stage.Branches != null)
            .Select(stage => new { stage.Id, stage.State, stage.Branches, stage.Held }).ToListAsync(cancellation);
        var stages = rows.ConvertAll(row => new TurnStage(
            row.Id, row.State is StageState.Waiting or StageState.Ready or StageState.Running,
            Json.Read<IReadOnlyList<PlannedTurn>>(row.Branches!), row.Held));
        var admitted = Admitted(stages).Intersect(stages.SelectMany(stage => stage.Held)).ToArray();
        return admitted.Length == 0 ? [] : await db.Database.SqlQuery<FedStages>($"""
            WITH rest AS (
                SELECT id, ARRAY(SELECT branch FROM unnest(held) AS branch WHERE branch <> ALL ({admitted})) AS held
                FROM pipelines.stages WHERE run_id = {run} AND state = 'waiting' AND held && {admitted}),
            freed AS (
                UPDATE pipelines.stages s SET held = rest.held,
                    unfinished_feeders = unfinished_feeders - cardinality(s.held) + cardinality(rest.held),
                    state = CASE WHEN unfinished_feeders - cardinality(s.held) + cardinality(rest.held) = 0 AND NOT gated
                        THEN 'ready' ELSE state END,
                    ready_at = now()
                FROM rest WHERE s.run_id = {run} AND s.id = rest.id
                RETURNING s.id, s."group", s.state, s.gated AND s.unfinished_feeders = 0 AS asks)
            SELECT "group" AS "Group", (count(*) FILTER (WHERE state = 'ready'))::int AS "Ready",
                coalesce(array_agg(id) FILTER (WHERE asks), ARRAY[]::text[]) AS "Asks"
            FROM freed GROUP BY "group"
            """).ToListAsync(cancellation);
    }
}
