using Microsoft.Extensions.Logging;
using Pipelines.Engine.Isolation;
using Pipelines.Engine.Telemetry;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>Runs one stage: claim, run, record; recording wakes what it fed.</summary>
internal sealed partial class StageExecutor(
    Catalog catalog, StageStore stages, ResultReader results, CheckpointStore checkpoints, Recording recording, ArtifactStore artifacts,
    StageComputer computer, RunTrace trace, RunningStages running, EngineOptions options, string worker, TimeProvider time)
{
    /// <summary>What was stopped by force is recorded within this.</summary>
    private static readonly TimeSpan Recorded = TimeSpan.FromSeconds(5);

    private readonly ILogger<StageExecutor> logger = options.LoggerFactory.CreateLogger<StageExecutor>();
    private readonly StageCache cache = new(results, artifacts);
    private readonly TaskCompletionSource leaving = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Slots slots = new(options.Slots);
    private volatile bool handsBack;

    public RunningStages Running => running;

    /// <summary>How many slots of each group have no stage.</summary>
    public IReadOnlyDictionary<string, int> FreeSlots => slots.Free();

    /// <summary>Null when the group has none that is free, or this worker leaves.</summary>
    public Slot? TakeSlot(string group) => slots.Take(group);

    /// <summary>Claims nothing any more; done when no slot has a stage.</summary>
    /// <param name="handBack">Whether what runs is stopped, for others to take.</param>
    public Task Close(bool handBack)
    {
        handsBack |= handBack;
        var idle = slots.Close();
        if (handBack)
            Running.HandBackAll();
        return idle;
    }

    /// <summary>
    /// Claims nothing any more, and stops what runs, for others to take. What cannot be recorded in time is handed back as
    /// it is: its attempt ends, and what it still brings is not recorded.
    /// </summary>
    public async Task LeaveAsync()
    {
        leaving.TrySetResult();
        var idle = Close(handBack: true);
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

    /// <returns>The run that a stage was executed of; null when none was ready for this slot.</returns>
    public async Task<Guid?> ExecuteNextAsync(Slot slot, Guid? lastRun)
    {
        if (slots.Closed || await ClaimAsync(slot, lastRun) is not { } claim)
            return null;
        using var stage = Running.Add(claim);
        await ExecuteAsync(stage);
        await trace.TellIfLastAsync(claim.Key, CancellationToken.None);
        // The slot is not free before the thread has ended, but whoever leaves does not wait for it.
        if (stage.LeftBehind is { } thread)
            await Task.WhenAny(thread, leaving.Task);
        return claim.Run;
    }

    private async Task ExecuteAsync(RunningStage stage)
    {
        var claim = stage.Claim;
        if (handsBack)
            stage.Stop(StopReason.HandedBack);
        using var limit = Limit(stage);
        using var use = artifacts.Use();
        try
        {
            FaultPoint.Reach(FaultPoint.Claimed, claim.Stage);
            var (result, kept) = await FindOrComputeAsync(stage, use);
            LogCompleted(claim.Run, claim.Stage, claim.Attempt);
            FaultPoint.Reach(FaultPoint.ArtifactWritten, claim.Stage);
            await RecordAsync(claim, cancellation => stages.CompleteAsync(Last(claim), result, cancellation));
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
            await RecordAsync(claim, cancellation => stages.FailAsync(Last(claim), message, detail, cancellation));
        }
    }

    private async Task<StageClaim?> ClaimAsync(Slot slot, Guid? lastRun)
    {
        try
        {
            var claim = await stages.ClaimAsync(worker, [slot.Group], slot.Device, lastRun, CancellationToken.None);
            FaultPoint.Committed();
            return claim;
        }
        catch (Exception error) when (Recording.IsPassing(error))
        {
            LogUnclaimed(error.Message); // the stage waits; the next look finds it
            return null;
        }
    }

    /// <summary>A slot of a worker that leaves does not go on with what the stage has made ready: others are woken for all of it.</summary>
    private StageClaim Last(StageClaim claim) => slots.Closed ? claim with { Serves = [] } : claim;

    private ITimer? Limit(RunningStage stage) => stage.Claim.Timeout is { } seconds
        ? time.CreateTimer(_ => stage.Stop(StopReason.TimedOut), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan)
        : null;

    /// <returns>The result, and the checkpoints that its computation left; null when it was reused.</returns>
    private async Task<(StageResult, StageCheckpoints?)> FindOrComputeAsync(RunningStage stage, ArtifactUse use)
    {
        var (claim, cancellation) = (stage.Claim, stage.Token);
        var entry = catalog.Find(claim.Kind, claim.Version);
        var key = CacheKey.Of(claim.Kind, claim.Version, claim.Parameters, claim.Inputs, entry.Source(claim.Parameters));
        var (known, reason) = claim is { UseCache: true, Anew: null } ? await cache.FindAsync(claim, key, cancellation) : (null, claim.Anew);
        if (known is { } stored)
            return (new StageResult(stored, key, Reused: true, null), null);
        var kept = await StageCheckpoints.OpenAsync(
            checkpoints, use, stage, key.Name, options.CheckpointInterval, time,
            options.LoggerFactory.CreateLogger<StageCheckpoints>(), cancellation);
        var outputs = await computer.ComputeAsync(stage, entry, use, kept);
        return (new StageResult(OutputLimit.Check(outputs), key, Reused: false, reason), kept);
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
