using Microsoft.EntityFrameworkCore;
using Npgsql;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>Runs as a whole: started, cancelled, resumed, looked at. Each change of state is one method.</summary>
public sealed class RunStore
{
    private readonly Database database;
    private readonly CommitAndWake commit;
    private readonly RunReader reader;

    internal RunStore(Database database, CommitAndWake commit)
    {
        this.database = database;
        this.commit = commit;
        reader = new RunReader(database);
    }

    public Task<RunView?> FindAsync(Guid run, CancellationToken cancellation) => reader.FindAsync(run, cancellation);

    /// <param name="text">A run's id, the start or end of one that only it has, or <c>last</c>.</param>
    /// <exception cref="RunLookupException">No run is called that, or several are.</exception>
    public Task<RunView> FindAsync(string text, CancellationToken cancellation) => reader.FindAsync(text, cancellation);

    /// <summary>The newest runs first.</summary>
    public Task<IReadOnlyList<RunView>> ListAsync(int limit, CancellationToken cancellation) =>
        reader.ListAsync(limit, cancellation);

    /// <summary>The newest first, without what is in them.</summary>
    /// <exception cref="RunLookupException">There is no run <see cref="RunFilter.Before"/>.</exception>
    public Task<IReadOnlyList<RunSummary>> ListAsync(RunFilter filter, CancellationToken cancellation) =>
        reader.ListAsync(filter, cancellation);

    /// <returns>Those that there are, in the order that was asked for.</returns>
    public Task<IReadOnlyList<RunView>> FindAsync(IReadOnlyList<Guid> runs, CancellationToken cancellation) =>
        reader.FindAsync(runs, cancellation);

    /// <summary>The history of a stage.</summary>
    /// <returns>The oldest attempt first; null when the run has no such stage.</returns>
    public Task<IReadOnlyList<AttemptView>?> AttemptsAsync(Guid run, string stage, CancellationToken cancellation) =>
        reader.AttemptsAsync(run, stage, cancellation);

    /// <param name="stage">Null for all stages.</param>
    /// <param name="afterId">0 from the beginning.</param>
    public Task<IReadOnlyList<LogLine>> LogsAsync(
        Guid run, string? stage, long afterId, CancellationToken cancellation) =>
        LogsAsync(run, stage, afterId, int.MaxValue, cancellation);

    /// <param name="most">So many lines at most.</param>
    /// <inheritdoc cref="LogsAsync(Guid, string?, long, CancellationToken)"/>
    public Task<IReadOnlyList<LogLine>> LogsAsync(
        Guid run, string? stage, long afterId, int most, CancellationToken cancellation) =>
        reader.LogsAsync(run, stage, afterId, most, cancellation);

    /// <summary>The curves of a stage, attempt by attempt.</summary>
    public Task<IReadOnlyList<AttemptMetrics>> MetricsAsync(Guid run, string stage, CancellationToken cancellation) =>
        reader.MetricsAsync(run, stage, cancellation);

    internal Task<RunState> StateAsync(Guid run, CancellationToken cancellation) => reader.StateAsync(run, cancellation);

    /// <summary>The run, its stages, and the wakes for those that can start: one transaction.</summary>
    internal Task<Guid> StartAsync(Plan plan, bool useCache, CancellationToken cancellation) =>
        StartAsync(plan, new RunRequest(useCache), cancellation);

    /// <inheritdoc cref="StartAsync(Plan, bool, CancellationToken)"/>
    /// <exception cref="RunStateException">There is a run of this key, of another plan.</exception>
    internal async Task<Guid> StartAsync(Plan plan, RunRequest request, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        if (request.Key is { } key && await RequestKey.FindAsync(db, key, plan, cancellation) is { } first)
            return first;
        var (run, wakes) = await InsertAsync(db, plan, request, cancellation);
        await commit(db, wakes, cancellation);
        return run;
    }

    /// <summary>A new run in the transaction that <paramref name="db"/> is in, and the wakes to commit it with.</summary>
    internal static async Task<(Guid Run, IReadOnlyList<Wake> Wakes)> InsertAsync(
        PipelinesDb db, Plan plan, RunRequest request, CancellationToken cancellation)
    {
        var run = Guid.CreateVersion7();
        db.Runs.Add(new RunRow
        {
            Id = run,
            Name = plan.Definition.Name,
            State = RunState.Running,
            UseCache = request.UseCache,
            RequestKey = request.Key,
            DefinitionVersion = request.Version,
            StartedBy = request.By,
            Definition = Json.Write(plan.Definition).GetRawText(),
            Parameters = Json.Write(plan.Parameters).GetRawText(),
            Outputs = Json.Write(plan.Outputs).GetRawText(),
        });
        await db.SaveChangesAsync(cancellation);
        await NewStages.InsertAsync(db, run, plan, cancellation);
        await Channels.NotifyAsync(db, Channels.RunChanged, run, cancellation);
        if (plan.Stages.All(stage => stage is { Gate: null, Turns.Count: 0 }))
        {
            var first = plan.Stages.Where(stage => !stage.Feeders.Any()).CountBy(stage => stage.Group);
            return (run, [.. first.Select(group => new Wake(group.Key, run, group.Value))]);
        }

        var wakes = await BeginAsync(db, run, cancellation);
        await EndIfDoneAsync(db, run, cancellation); // everything may have been skipped
        return (run, wakes);
    }

    private static async Task<IReadOnlyList<Wake>> BeginAsync(PipelinesDb db, Guid run, CancellationToken cancellation)
    {
        var ready = await Successors.BeginAsync(db, run, cancellation);
        return [.. ready.Select(group => new Wake(group.Key, run, group.Value))];
    }

    /// <summary>
    /// Everything that waits → Cancelled now; what runs hears of it, and is Cancelled when it stops. What a dead worker
    /// left running is Cancelled now as well.
    /// </summary>
    internal async Task CancelAsync(Guid run, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        await CancelAsync(db, run, cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <inheritdoc cref="CancelAsync(Guid, CancellationToken)"/>
    internal static async Task CancelAsync(PipelinesDb db, Guid run, CancellationToken cancellation)
    {
        if (await LockAsync(db, run, cancellation) is var state && state != RunState.Running)
            throw new RunStateException($"run {run} has {state.ToString().ToLowerInvariant()}: nothing is left to cancel");
        await db.Database.ExecuteSqlAsync(
            $"UPDATE pipelines.runs SET cancel_requested_at = now() WHERE id = {run}", cancellation);
        await MarkLostAsync(db, run, cancellation);
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.stages SET state = 'cancelled', finished_at = now()
            WHERE run_id = {run} AND state IN ('waiting', 'ready')
            """, cancellation);
        await EndIfDoneAsync(db, run, cancellation);
        await Channels.NotifyAsync(db, Channels.RunChanged, run, cancellation);
        await Channels.NotifyAsync(db, Channels.RunCancelled, run, cancellation);
    }

    /// <summary>What <see cref="ResetAsync"/> would do.</summary>
    internal async Task<ResetSummary> PreviewAsync(Guid run, ResetRequest request, CancellationToken cancellation)
    {
        await using var db = database.Create();
        var (summary, rows) = RunReset.Of(await ResetStagesAsync(db, run, cancellation), request);
        return rows.Count > 0 ? summary : throw NothingLeft(run, await StateAsync(run, cancellation));
    }

    /// <summary>The stages that <paramref name="request"/> means → Waiting or Ready, with their failures forgotten.</summary>
    /// <exception cref="RunStateException">Nothing is left to run, or it runs already.</exception>
    internal async Task<ResetSummary> ResetAsync(Guid run, ResetRequest request, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var state = await LockAsync(db, run, cancellation);
        await MarkLostAsync(db, run, cancellation);
        var stages = await ResetStagesAsync(db, run, cancellation);
        var (summary, rows) = RunReset.Of(stages, request);
        if (rows.Count == 0)
            throw NothingLeft(run, state);

        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.stages s SET failures = 0, crashes = 0, crash_step = NULL, error = NULL, error_detail = NULL,
                progress = NULL, started_at = NULL, finished_at = NULL, worker = NULL, lease_until = NULL, outputs = NULL,
                cache_key = NULL, reused = false, fresh = again.fresh, parameters = coalesce(again.parameters, s.parameters),
                inputs = coalesce(again.inputs, s.inputs), conditions = coalesce(again.conditions, s.conditions),
                variables = coalesce(again.variables, s.variables), held = again.held, reason = NULL, key_parts = NULL, device = NULL,
                unfinished_feeders = again.feeders,
                state = CASE WHEN again.feeders = 0 AND NOT s.gated THEN 'ready' ELSE 'waiting' END, ready_at = now()
            FROM jsonb_to_recordset({Json.Write(rows).GetRawText()}::jsonb)
                AS again(id text, feeders int, fresh boolean, held text[], parameters jsonb, inputs jsonb, conditions jsonb,
                    variables jsonb)
            WHERE s.run_id = {run} AND s.id = again.id
            """, cancellation);
        var anew = stages.Where(stage => RunReset.Anew(stage, request)).Select(stage => stage.Id)
            .Intersect(summary.WillRun).ToArray();
        await db.Database.ExecuteSqlAsync(
            $"DELETE FROM pipelines.checkpoints WHERE run_id = {run} AND stage = ANY ({anew})", cancellation);
        var values = request.Values is null ? null : Json.Write(request.Values).GetRawText();
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.runs SET state = 'running', finished_at = NULL, cancel_requested_at = NULL,
                parameters = coalesce({values}::jsonb, parameters)
            WHERE id = {run}
            """, cancellation);
        await Channels.NotifyAsync(db, Channels.RunChanged, run, cancellation);
        var wakes = await BeginAsync(db, run, cancellation);
        await EndIfDoneAsync(db, run, cancellation);
        await commit(db, wakes, cancellation);
        return summary;
    }

    /// <summary>What a dead worker left running counts as cancelled.</summary>
    private static async Task<IReadOnlyList<ResetStage>> ResetStagesAsync(PipelinesDb db, Guid run, CancellationToken cancellation)
    {
        var rows = await db.Database.SqlQuery<StageToReset>($"""
            SELECT s.id AS "Id", s.feeds AS "Feeds", c.step AS "Step", s.branches AS "Branches", s.held AS "Held",
                CASE WHEN s.state = 'running' AND s.lease_until < clock_timestamp() THEN 'cancelled' ELSE s.state END AS "State"
            FROM pipelines.stages s LEFT JOIN pipelines.checkpoints c ON c.run_id = s.run_id AND c.stage = s.id
            WHERE s.run_id = {run} ORDER BY s.position
            """).ToListAsync(cancellation);
        return rows.ConvertAll(row => new ResetStage(
            row.Id, Json.Read<StageState>($"\"{row.State}\""), row.Feeds, row.Step,
            row.Branches is null ? [] : Json.Read<IReadOnlyList<PlannedTurn>>(row.Branches), row.Held));
    }

    private static RunStateException NothingLeft(Guid run, RunState state) => new(state == RunState.Running
        ? $"run {run} is running: wait for it to end, or cancel it"
        : $"run {run} has succeeded: nothing is left to resume");

    private sealed record StageToReset(string Id, string[] Feeds, long? Step, string? Branches, string[] Held, string State);

    /// <summary>
    /// Whoever changes what a stage of the run waits for stands in this line. Without it, two feeders that end together
    /// each see the other unfinished, and the stage that joins them sleeps for ever.
    /// </summary>
    /// <exception cref="RunLookupException">There is no such run.</exception>
    internal static async Task<RunState> LockAsync(PipelinesDb db, Guid run, CancellationToken cancellation)
    {
        var found = await db.Runs.FromSql($"SELECT * FROM pipelines.runs WHERE id = {run} FOR UPDATE")
            .AsNoTracking().ToListAsync(cancellation);
        return found is [var row] ? row.State : throw new RunLookupException($"there is no run {run}");
    }

    /// <summary>Running → its end, once no stage waits, is ready or runs. The schedule that started it may start the next.</summary>
    internal static NpgsqlBatchCommand EndIfDoneCommand(Guid run) => Batch.Command("""
        WITH ended AS (
            UPDATE pipelines.runs SET finished_at = clock_timestamp(), state = CASE
                WHEN EXISTS (SELECT FROM pipelines.stages WHERE run_id = @run AND state = 'cancelled') THEN 'cancelled'
                WHEN EXISTS (SELECT FROM pipelines.stages WHERE run_id = @run AND state = 'failed') THEN 'failed'
                ELSE 'succeeded' END
            WHERE id = @run AND state = 'running' AND NOT EXISTS (
                SELECT FROM pipelines.stages WHERE run_id = @run AND state IN ('waiting', 'ready', 'running'))
            RETURNING id)
        SELECT pg_notify(@channel, '')::text FROM ended JOIN pipelines.schedule_fires fire ON fire.run_id = ended.id
        """, ("run", run), ("channel", Channels.Schedules));

    /// <inheritdoc cref="EndIfDoneCommand"/>
    internal static Task EndIfDoneAsync(PipelinesDb db, Guid run, CancellationToken cancellation) =>
        Batch.ExecuteAsync(db, [EndIfDoneCommand(run)], cancellation);

    /// <summary>As <see cref="LockAsync"/>, of a run that is there.</summary>
    internal static NpgsqlBatchCommand LockCommand(Guid run) =>
        Batch.Command("SELECT true FROM pipelines.runs WHERE id = @run FOR UPDATE", ("run", run));

    /// <summary>Running → Cancelled, where the worker is no longer alive; the attempt was lost.</summary>
    private static Task<int> MarkLostAsync(PipelinesDb db, Guid run, CancellationToken cancellation) =>
        db.Database.ExecuteSqlAsync($"""
            WITH lost AS (
                UPDATE pipelines.stages SET state = 'cancelled', finished_at = now()
                WHERE run_id = {run} AND state = 'running' AND lease_until < clock_timestamp()
                RETURNING id, attempt)
            UPDATE pipelines.attempts a SET outcome = 'lost', finished_at = now(), error = 'the worker died' FROM lost
            WHERE a.run_id = {run} AND a.stage = lost.id AND a.attempt = lost.attempt
            """, cancellation);
}
