using Microsoft.Extensions.Logging;
using Pipelines.Engine.Isolation;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>Runs one stage: claim, run, record; recording wakes what it fed.</summary>
internal sealed partial class StageExecutor(
    Catalog catalog, StageStore stages, CheckpointStore checkpoints, Recording recording, ArtifactDirectory artifacts,
    StageComputer computer, RunningStages running, EngineOptions options, string worker, TimeProvider time) : IDisposable
{
    /// <summary>What was stopped by force is recorded within this.</summary>
    private static readonly TimeSpan Recorded = TimeSpan.FromSeconds(5);

    private readonly ILogger<StageExecutor> logger = options.LoggerFactory.CreateLogger<StageExecutor>();
    private readonly StageCache cache = new(stages, artifacts);
    private readonly Gpu gpu = new();
    private readonly SlotCount slots = new();
    private readonly TaskCompletionSource leaving = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RunningStages Running => running;

    /// <summary>
    /// Claims nothing any more, and stops what runs, for others to take. What cannot be recorded in time is handed back as
    /// it is: its attempt ends, and what it still brings is not recorded.
    /// </summary>
    public async Task LeaveAsync()
    {
        var idle = slots.Close();
        leaving.TrySetResult();
        Running.HandBackAll();
        try
        {
            await idle.WaitAsync(options.Grace + Recorded, time);
        }
        catch (TimeoutException)
        {
            foreach (var claim in Running.Claims)
                await RecordAsync(claim, cancellation => stages.HandBackAsync(claim, cancellation));
        }
    }

    /// <returns>The run that a stage was executed of; null when none was ready for this worker.</returns>
    public async Task<Guid?> ExecuteNextAsync(Guid? lastRun)
    {
        using var slot = slots.Enter();
        if (slot is null || await ClaimAsync(lastRun) is not { } claim)
            return null;
        try
        {
            using var stage = Running.Add(claim);
            await ExecuteAsync(stage);
            // The slot is not free before the thread has ended, but whoever leaves does not wait for it.
            if (stage.LeftBehind is { } thread)
                await Task.WhenAny(thread, leaving.Task);
        }
        finally
        {
            if (claim.Group == StageGroup.Gpu)
                gpu.Release();
        }

        return claim.Run;
    }

    public void Dispose() => gpu.Dispose();

    private async Task ExecuteAsync(RunningStage stage)
    {
        var claim = stage.Claim;
        if (slots.Closed)
            stage.Stop(StopReason.HandedBack);
        using var limit = Limit(stage);
        try
        {
            FaultPoint.Reach(FaultPoint.Claimed, claim.Stage);
            var (result, kept) = await FindOrComputeAsync(stage);
            LogCompleted(claim.Run, claim.Stage, claim.Attempt);
            FaultPoint.Reach(FaultPoint.ArtifactWritten, claim.Stage);
            await RecordAsync(claim, cancellation => stages.CompleteAsync(claim, result, cancellation));
            FaultPoint.Reach(FaultPoint.StageRecorded, claim.Stage);
            if (kept is { Any: true })
                await kept.ForgetAsync();
        }
        catch (OperationCanceledException) when (stage.Token.IsCancellationRequested)
        {
            LogStopped(claim.Run, claim.Stage, claim.Attempt, stage.Reason);
            await RecordAsync(claim, cancellation => stage.Reason switch
            {
                StopReason.HandedBack => stages.HandBackAsync(claim, cancellation),
                StopReason.Cancelled => stages.CancelAsync(claim, cancellation),
                StopReason.TimedOut => stages.FailAsync(
                    claim, $"it took longer than its timeout of {claim.Timeout} s", null, cancellation),
                _ => Task.FromResult(true), // another worker's by now: nothing of it is recorded
            });
        }
        catch (StageCrashException crash)
        {
            LogFailed(claim.Run, claim.Stage, claim.Attempt, crash);
            await RecordAsync(claim, cancellation => stages.CrashAsync(claim, crash.Message, crash.Detail, cancellation));
        }
        catch (Exception error)
        {
            LogFailed(claim.Run, claim.Stage, claim.Attempt, error);
            var (message, detail) = StageFailure.Describe(error);
            await RecordAsync(claim, cancellation => stages.FailAsync(claim, message, detail, cancellation));
        }
    }

    private async Task<StageClaim?> ClaimAsync(Guid? lastRun)
    {
        using var served = await gpu.ReserveAsync(options.Serve);
        try
        {
            var claim = await stages.ClaimAsync(worker, served.Groups, lastRun, CancellationToken.None);
            FaultPoint.Committed();
            if (claim?.Group == StageGroup.Gpu)
                gpu.Take();
            return claim;
        }
        catch (Exception error) when (Recording.IsPassing(error))
        {
            LogUnclaimed(error.Message); // the stage waits; the next look finds it
            return null;
        }
    }

    private ITimer? Limit(RunningStage stage) => stage.Claim.Timeout is { } seconds
        ? time.CreateTimer(_ => stage.Stop(StopReason.TimedOut), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan)
        : null;

    /// <returns>The result, and the checkpoints that its computation left; null when it was reused.</returns>
    private async Task<(StageResult, StageCheckpoints?)> FindOrComputeAsync(RunningStage stage)
    {
        var (claim, cancellation) = (stage.Claim, stage.Token);
        var entry = catalog.Find(claim.Kind, claim.Version);
        var key = CacheKey.Of(claim.Kind, claim.Version, claim.Parameters, claim.Inputs, entry.Source(claim.Parameters));
        if (claim.UseCache && await cache.FindAsync(key, cancellation) is { } known)
            return (new StageResult(known, key, Reused: true), null);
        var kept = await StageCheckpoints.OpenAsync(
            checkpoints, artifacts, stage, key, options.CheckpointInterval, time,
            options.LoggerFactory.CreateLogger<StageCheckpoints>(), cancellation);
        return (new StageResult(await computer.ComputeAsync(stage, entry, kept), key, Reused: false), kept);
    }

    private async Task RecordAsync(StageClaim claim, Func<CancellationToken, Task<bool>> record)
    {
        if (!await recording.UntilDoneAsync(record))
            LogOverruled(claim.Run, claim.Stage, claim.Attempt);
    }

    [LoggerMessage(LogLevel.Information, "Run {RunId}: stage {StageId} completed (attempt {Attempt})")]
    private partial void LogCompleted(Guid runId, string stageId, int attempt);

    [LoggerMessage(LogLevel.Information, "Run {RunId}: stage {StageId} stopped (attempt {Attempt}, {Reason})")]
    private partial void LogStopped(Guid runId, string stageId, int attempt, StopReason? reason);

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: stage {StageId} failed (attempt {Attempt})")]
    private partial void LogFailed(Guid runId, string stageId, int attempt, Exception error);

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: stage {StageId} is no longer attempt {Attempt}'s; nothing recorded")]
    private partial void LogOverruled(Guid runId, string stageId, int attempt);

    [LoggerMessage(LogLevel.Warning, "No stage could be claimed: {Reason}")]
    private partial void LogUnclaimed(string reason);
}
