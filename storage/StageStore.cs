using Microsoft.EntityFrameworkCore;
using Npgsql;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>
/// What a worker does to a stage. Each change of state is one method and one transaction, and names the attempt: a
/// worker whose stage was given to another changes nothing any more. Each may be repeated when its answer was lost.
/// </summary>
/// <param name="lease">How long a worker is taken to be alive after it last said so.</param>
internal sealed class StageStore(Database database, CommitAndWake commit, TimeSpan lease)
{
    /// <summary>Seconds: no failure is waited out for longer.</summary>
    private const double LongestBackoff = 600;

    private const int MostRescued = 100;

    /// <summary>Ready → Running: first a stage of the run that the slot has just worked for, then the oldest.</summary>
    /// <param name="device">What the slot gives to the stage.</param>
    public Task<StageClaim?> ClaimAsync(
        string worker, IReadOnlyList<string> groups, string device, Guid? lastRun, CancellationToken cancellation) =>
        StageClaims.ClaimAsync(database, lease, worker, groups, device, lastRun, cancellation);

    /// <summary>Running → Succeeded, and the stages that only waited for this one → Ready.</summary>
    /// <returns>False when the stage was no longer this attempt's.</returns>
    public async Task<bool> CompleteAsync(StageClaim claim, StageResult result, CancellationToken cancellation)
    {
        var outcome = result.Reused ? AttemptOutcome.Reused : AttemptOutcome.Succeeded;
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var fed = new List<FedStages>();
        await using (var reader = await Batch.ReadAsync(
            db,
            [
                RunStore.LockCommand(claim.Run), .. SuccessCommands(claim, result), EndAttemptCommand(claim.Key, outcome, null),
                Successors.FeedCommand(claim.Run, [claim.Stage]), RunStore.EndIfDoneCommand(claim.Run),
            ],
            cancellation))
        {
            await reader.NextResultAsync(cancellation);
            if (!await reader.ReadAsync(cancellation))
                return await WasAsync(claim.Key, outcome, cancellation); // what came after it in the batch is rolled back
            await reader.NextResultAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
                fed.Add(Successors.Read(reader));
            await reader.NextResultAsync(cancellation); // an error of the last command shows here
        }

        var settled = !claim.Bounded && fed.TrueForAll(group => group.Asks.Length == 0);
        var ready = await Successors.SettleAsync(db, claim.Run, fed, claim.Bounded, cancellation);
        if (!settled)
            await RunStore.EndIfDoneAsync(db, claim.Run, cancellation);
        await commit(db, LeaveOneToTheSlot(claim, ready), cancellation);
        return true;
    }

    private static IEnumerable<NpgsqlBatchCommand> SuccessCommands(StageClaim claim, StageResult result)
    {
        var (outputs, name) = (result.Outputs.GetRawText(), result.Key.Name);
        yield return Batch.Command("""
            UPDATE pipelines.stages SET state = 'succeeded', outputs = @outputs::jsonb, cache_key = @key, key_parts = @parts::jsonb,
                reason = @reason, reused = @reused, takes = @takes, makes = @makes, error = NULL, error_detail = NULL,
                finished_at = clock_timestamp()
            WHERE run_id = @run AND id = @stage AND attempt = @attempt AND state = 'running'
            RETURNING true
            """,
            ("outputs", outputs), ("key", name), ("parts", Json.Write(result.Key).GetRawText()), ("reason", result.Reason ?? (object)DBNull.Value),
            ("reused", result.Reused), ("takes", Manifest.HashesIn(claim.Inputs)), ("makes", Manifest.HashesIn(result.Outputs)),
            ("run", claim.Run), ("stage", claim.Stage), ("attempt", claim.Attempt));
        if (!result.Reused)
        {
            yield return Batch.Command("""
                INSERT INTO pipelines.results (key, outputs, run_id, stage) VALUES (@key, @outputs::jsonb, @run, @stage)
                ON CONFLICT (key) DO UPDATE SET outputs = excluded.outputs, run_id = excluded.run_id,
                    stage = excluded.stage, created_at = now()
                """, ("key", name), ("outputs", outputs), ("run", claim.Run), ("stage", claim.Stage));
        }
    }

    private static NpgsqlBatchCommand EndAttemptCommand(StageKey attempt, AttemptOutcome outcome, string? error) => Batch.Command("""
        WITH told AS (SELECT pg_notify(@channel, @run::text))
        UPDATE pipelines.attempts SET outcome = @outcome, finished_at = clock_timestamp(), error = @error FROM told
        WHERE run_id = @run AND stage = @stage AND attempt = @attempt
        """,
        ("channel", Channels.RunChanged), ("outcome", Json.Write(outcome).GetString()), ("error", error),
        ("run", attempt.Run), ("stage", attempt.Stage), ("attempt", attempt.Attempt));

    /// <summary>Perhaps an end was recorded, and only the answer was lost.</summary>
    private async Task<bool> WasAsync(StageKey attempt, AttemptOutcome outcome, CancellationToken cancellation)
    {
        await using var db = database.Create();
        return await db.Attempts.AnyAsync(
            row => row.RunId == attempt.Run && row.Stage == attempt.Stage && row.Attempt == attempt.Attempt && row.Outcome == outcome,
            cancellation);
    }

    /// <summary>
    /// Running → Ready while attempts remain, after a pause, else → Failed, and what it feeds → Blocked. The rest of the run
    /// goes on.
    /// </summary>
    /// <inheritdoc cref="CompleteAsync"/>
    public Task<bool> FailAsync(StageClaim claim, string error, string? detail, CancellationToken cancellation) =>
        EndAsync(claim.Key, AttemptOutcome.Failed, Clean(error), async db =>
        {
            var changed = await db.Database.SqlQuery<Retried>($"""
                UPDATE pipelines.stages SET failures = failures + 1, finished_at = clock_timestamp(),
                    ready_at = now() + make_interval(secs => least({LongestBackoff}, backoff * power(2, least(failures, 30)))),
                    state = CASE WHEN failures + 1 < max_attempts
                        AND (SELECT cancel_requested_at IS NULL FROM pipelines.runs WHERE id = {claim.Run})
                        THEN 'ready' ELSE 'failed' END,
                    error = {Clean(error)}, error_detail = {Clean(detail)}
                WHERE run_id = {claim.Run} AND id = {claim.Stage} AND attempt = {claim.Attempt} AND state = 'running'
                RETURNING state AS "State", extract(epoch FROM ready_at - now())::float8 AS "Pause"
                """).ToListAsync(cancellation);
            if (changed is not [var retried])
                return null;
            if (retried.State == "failed")
                return await EndBadlyAsync(db, claim.Key, claim.Bounded, cancellation);
            return retried.Pause > 0
                ? [new Wake(claim.Group, claim.Run, 1, TimeSpan.FromSeconds(retried.Pause))]
                : LeaveOneToTheSlot(claim, new Dictionary<string, int> { [claim.Group] = 1 });
        }, cancellation);

    /// <summary>Running → Cancelled, as its user asked.</summary>
    /// <inheritdoc cref="CompleteAsync"/>
    public Task<bool> CancelAsync(StageClaim claim, CancellationToken cancellation) =>
        EndAsync(claim.Key, AttemptOutcome.Cancelled, null, async db =>
        {
            var changed = await db.Database.ExecuteSqlAsync($"""
                UPDATE pipelines.stages SET state = 'cancelled', finished_at = clock_timestamp()
                WHERE run_id = {claim.Run} AND id = {claim.Stage} AND attempt = {claim.Attempt} AND state = 'running'
                """, cancellation);
            return changed == 0 ? null : [];
        }, cancellation);

    /// <summary>Running → Ready: its worker was told to stop, and another one takes it. Not a failure.</summary>
    /// <inheritdoc cref="CompleteAsync"/>
    public Task<bool> HandBackAsync(StageClaim claim, CancellationToken cancellation) =>
        EndAsync(claim.Key, AttemptOutcome.HandedBack, null, async db =>
        {
            var changed = await db.Database.SqlQuery<string>($"""
                UPDATE pipelines.stages SET ready_at = now(), finished_at = clock_timestamp(),
                    state = CASE WHEN (SELECT cancel_requested_at IS NULL FROM pipelines.runs WHERE id = {claim.Run})
                        THEN 'ready' ELSE 'cancelled' END
                WHERE run_id = {claim.Run} AND id = {claim.Stage} AND attempt = {claim.Attempt} AND state = 'running'
                RETURNING state AS "Value"
                """).ToListAsync(cancellation);
            return changed.Count == 0 ? null : changed is ["ready"] ? [new Wake(claim.Group, claim.Run, 1)] : [];
        }, cancellation);

    /// <summary>
    /// Running → Ready where the lease has lapsed: its worker is dead, or as good as dead, and another one takes the
    /// stage. When too many in a row died of it, → Failed.
    /// </summary>
    /// <returns>The attempts that were lost.</returns>
    public async Task<IReadOnlyList<StageKey>> RescueAsync(CancellationToken cancellation)
    {
        List<StageKey> lapsed;
        await using (var db = database.Create())
        {
            lapsed = await db.Database.SqlQuery<StageKey>($"""
                SELECT run_id AS "Run", id AS "Stage", attempt AS "Attempt" FROM pipelines.stages
                WHERE state = 'running' AND lease_until < clock_timestamp() ORDER BY lease_until LIMIT {MostRescued}
                """).ToListAsync(cancellation);
        }

        var lost = new List<StageKey>();
        foreach (var stage in lapsed)
        {
            if (await LoseAsync(stage, cancellation))
                lost.Add(stage);
        }

        return lost;
    }

    /// <summary>Running → Ready: the stage's own process died of it, which counts as when its worker had; too often, → Failed.</summary>
    /// <inheritdoc cref="CompleteAsync"/>
    public Task<bool> CrashAsync(StageClaim claim, string error, string? detail, CancellationToken cancellation) =>
        EndAsync(
            claim.Key, AttemptOutcome.Failed, Clean(error),
            db => CountCrashAsync(
                db, claim.Key, lapsed: false, Clean(error), Clean(detail),
                group => LeaveOneToTheSlot(claim, new Dictionary<string, int> { [group] = 1 }), cancellation),
            cancellation);

    private Task<bool> LoseAsync(StageKey lapsed, CancellationToken cancellation) =>
        EndAsync(
            lapsed, AttemptOutcome.Lost, "its worker died",
            db => CountCrashAsync(db, lapsed, lapsed: true, null, null, group => [new Wake(group, lapsed.Run, 1)], cancellation),
            cancellation);

    /// <param name="lapsed">Whether it is lost only if its lease has lapsed.</param>
    /// <param name="error">Null when nobody lived to say.</param>
    /// <param name="again">Who is woken, by the stage's group, when it is tried again.</param>
    private static async Task<IReadOnlyList<Wake>?> CountCrashAsync(
        PipelinesDb db, StageKey stage, bool lapsed, string? error, string? detail, Func<string, IReadOnlyList<Wake>> again,
        CancellationToken cancellation)
    {
        // One that got further before it died does not kill its workers: its count begins anew.
        var changed = await db.Database.SqlQuery<Crashed>($"""
            WITH crashed AS (
                SELECT s.run_id, s.id, c.step,
                    CASE WHEN c.step > coalesce(s.crash_step, -1) THEN 1 ELSE s.crashes + 1 END AS crashes
                FROM pipelines.stages s LEFT JOIN pipelines.checkpoints c ON c.run_id = s.run_id AND c.stage = s.id
                WHERE s.run_id = {stage.Run} AND s.id = {stage.Stage} AND s.attempt = {stage.Attempt}
                    AND s.state = 'running' AND (NOT {lapsed} OR s.lease_until < clock_timestamp()))
            UPDATE pipelines.stages s SET crashes = crashed.crashes, crash_step = crashed.step,
                finished_at = clock_timestamp(), ready_at = now(),
                state = CASE
                    WHEN (SELECT cancel_requested_at IS NOT NULL FROM pipelines.runs WHERE id = {stage.Run}) THEN 'cancelled'
                    WHEN crashed.crashes >= s.max_crashes THEN 'failed' ELSE 'ready' END,
                error = CASE
                    WHEN {error}::text IS NOT NULL THEN {error}
                        || CASE WHEN crashed.crashes > 1 THEN '; ' || crashed.crashes || ' crashes in a row' ELSE '' END
                    WHEN crashed.crashes >= s.max_crashes
                        THEN crashed.crashes || ' workers in a row died while they ran it (the last was ' || s.worker
                            || '): it runs out of memory, or crashes' END,
                error_detail = {detail}
            FROM crashed WHERE s.run_id = crashed.run_id AND s.id = crashed.id
            RETURNING s.state AS "State", s."group" AS "Group", s.branches IS NOT NULL AS "Bounded"
            """).ToListAsync(cancellation);
        return changed switch
        {
            [] => null,
            [{ State: "ready" } ready] => again(ready.Group),
            [{ State: "failed" } failed] => await EndBadlyAsync(db, stage, failed.Bounded, cancellation),
            _ => [],
        };
    }

    /// <summary>How the process of an attempt ended that had one of its own.</summary>
    /// <returns>True: nothing else may have changed it.</returns>
    public async Task<bool> ExitAsync(StageKey attempt, int exitCode, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.attempts SET exit_code = {exitCode}
            WHERE run_id = {attempt.Run} AND stage = {attempt.Stage} AND attempt = {attempt.Attempt}
            """, cancellation);
        return true;
    }

    /// <summary>The latest progress, new lines of the log and new points of curves, at once.</summary>
    public async Task ReportAsync(
        StageClaim claim, StageProgress? progress, IReadOnlyList<(DateTimeOffset At, string Text)> lines,
        IReadOnlyList<MetricPoint> points, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        if (progress is not null)
        {
            await db.Database.ExecuteSqlAsync($"""
                UPDATE pipelines.stages SET progress = {Json.Write(progress).GetRawText()}::jsonb
                WHERE run_id = {claim.Run} AND id = {claim.Stage} AND attempt = {claim.Attempt} AND state = 'running'
                """, cancellation);
        }

        if (lines.Count > 0)
        {
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO pipelines.stage_logs (run_id, stage, attempt, at, text)
                SELECT {claim.Run}, {claim.Stage}, {claim.Attempt}, at, text
                FROM unnest({lines.Select(line => line.At).ToArray()}, {lines.Select(line => Clean(line.Text)!).ToArray()})
                    WITH ORDINALITY AS line(at, text, place) ORDER BY place
                """, cancellation);
        }

        if (points.Count > 0)
        {
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO pipelines.stage_metrics (run_id, stage, attempt, name, step, value)
                SELECT {claim.Run}, {claim.Stage}, {claim.Attempt}, name, step, value
                FROM unnest({points.Select(point => point.Name).ToArray()}, {points.Select(point => point.Step).ToArray()},
                    {points.Select(point => point.Value).ToArray()}) WITH ORDINALITY AS point(name, step, value, place) ORDER BY place
                """, cancellation);
        }

        await Channels.NotifyAsync(db, Channels.RunChanged, claim.Run, cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>The way every attempt ends: under the run's lock, recorded in the history, the run ended with it if it was the last.</summary>
    /// <param name="change">Null when the stage is no longer this attempt's, else what became ready.</param>
    private async Task<bool> EndAsync(
        StageKey claim, AttemptOutcome outcome, string? error,
        Func<PipelinesDb, Task<IReadOnlyList<Wake>?>> change, CancellationToken cancellation)
    {
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        await RunStore.LockAsync(db, claim.Run, cancellation);
        if (await change(db) is not { } wakes)
            return await WasAsync(claim, outcome, cancellation);
        await Batch.ExecuteAsync(
            db, [EndAttemptCommand(claim, outcome, error), RunStore.EndIfDoneCommand(claim.Run)], cancellation);
        await commit(db, wakes, cancellation);
        return true;
    }

    /// <summary>What it feeds → Blocked; in a bounded fan-out the next branch may take its turn.</summary>
    private static async Task<IReadOnlyList<Wake>> EndBadlyAsync(
        PipelinesDb db, StageKey stage, bool bounded, CancellationToken cancellation)
    {
        bounded |= await Successors.BlockBelowAsync(db, stage.Run, stage.Stage, cancellation);
        var ready = await Successors.SettleAsync(db, stage.Run, [], bounded, cancellation);
        return [.. ready.Select(group => new Wake(group.Key, stage.Run, group.Value))];
    }

    /// <summary>
    /// The slot that ended this stage claims the next one itself, so where all are of a group that it serves, one wake
    /// fewer is needed. Should it die before that, its firing is recovered elsewhere and is a wake.
    /// </summary>
    private static List<Wake> LeaveOneToTheSlot(StageClaim claim, IReadOnlyDictionary<string, int> ready)
    {
        var own = ready.Count == 1 && claim.Serves.Contains(ready.Keys.First()) ? 1 : 0;
        return [.. ready.Where(group => group.Value > own).Select(group => new Wake(group.Key, claim.Run, group.Value - own))];
    }

    // Postgres stores no zero bytes in text.
    private static string? Clean(string? text) => text?.Replace('\0', '\uFFFD');

    private sealed record Crashed(string State, string Group, bool Bounded);

    /// <param name="Pause">Seconds until the next attempt.</param>
    private sealed record Retried(string State, double Pause);
}
