using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine.Telemetry;

/// <summary>
/// A run that has ended as one trace: the run, and below it each attempt of each stage, with the times that are in the
/// database. Attempts of workers that died, which could tell of nothing themselves, are in it too.
/// </summary>
internal sealed partial class RunTrace(Database database, ILogger<RunTrace> logger)
{
    /// <summary>Whoever ended the last attempt of a run tells of all of it, once; what fails here fails nothing else.</summary>
    public async Task TellIfLastAsync(StageKey ended, CancellationToken cancellation)
    {
        if (!Instruments.Source.HasListeners())
            return;
        try
        {
            await using var db = database.Create();
            var run = await db.Runs.AsNoTracking().SingleAsync(row => row.Id == ended.Run, cancellation);
            if (run.FinishedAt is not { } finished)
                return;
            var attempts = await db.Attempts.AsNoTracking().Where(row => row.RunId == ended.Run)
                .OrderBy(row => row.FinishedAt).ThenBy(row => row.Stage).ToListAsync(cancellation);
            if (attempts[^1].Stage != ended.Stage || attempts[^1].Attempt != ended.Attempt)
                return;
            var kinds = await db.Stages.Where(row => row.RunId == ended.Run).ToDictionaryAsync(row => row.Id, row => row.Kind, cancellation);
            Tell(run, finished, attempts, kinds);
        }
        catch (Exception error)
        {
            LogUntold(ended.Run, error.Message);
        }
    }

    private static void Tell(RunRow run, DateTimeOffset finished, IEnumerable<AttemptRow> attempts, Dictionary<string, string> kinds)
    {
        // The run is below nothing, whatever this thread is doing.
        var around = Activity.Current;
        Activity.Current = null;
        try
        {
            using var whole = Instruments.Source.StartActivity($"run {run.Name}", ActivityKind.Internal, default(ActivityContext), startTime: run.CreatedAt);
            if (whole is null)
                return; // not sampled
            whole.SetTag("pipelines.run.id", run.Id.ToString()).SetTag("pipelines.run.state", Json.Write(run.State).GetString());
            if (run.State == RunState.Failed)
                whole.SetStatus(ActivityStatusCode.Error);
            foreach (var attempt in attempts)
                Tell(whole.Context, attempt, kinds[attempt.Stage], finished);
            whole.SetEndTime(finished.UtcDateTime);
        }
        finally
        {
            Activity.Current = around;
        }
    }

    private static void Tell(ActivityContext run, AttemptRow attempt, string kind, DateTimeOffset runFinished)
    {
        using var span = Instruments.Source.StartActivity($"stage {attempt.Stage}", ActivityKind.Internal, run, startTime: attempt.StartedAt);
        if (span is null)
            return;
        span.SetTag("pipelines.stage.kind", kind).SetTag("pipelines.stage.attempt", attempt.Attempt)
            .SetTag("pipelines.worker", attempt.Worker).SetTag("pipelines.device", attempt.Device)
            .SetTag("pipelines.outcome", attempt.Outcome is { } outcome ? Json.Write(outcome).GetString() : null);
        if (attempt.Outcome is AttemptOutcome.Failed or AttemptOutcome.Lost)
            span.SetStatus(ActivityStatusCode.Error, attempt.Error);
        span.SetEndTime((attempt.FinishedAt ?? runFinished).UtcDateTime);
    }

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: its trace is not told: {Reason}")]
    private partial void LogUntold(Guid runId, string reason);
}
