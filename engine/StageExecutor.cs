using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>Runs one stage: claim, run, record; recording wakes what it fed.</summary>
internal sealed partial class StageExecutor(
    Catalog catalog, StageStore stages, CheckpointStore checkpoints, Recording recording, ArtifactStore artifacts, ProcessFolder work,
    EngineOptions options, string worker, TimeProvider time) : IDisposable
{
    private readonly ILogger<StageExecutor> logger = options.LoggerFactory.CreateLogger<StageExecutor>();
    private readonly StageCache cache = new(stages, artifacts);
    private readonly Gpu gpu = new();
    private readonly SlotCount slots = new();

    public RunningStages Running { get; } = new();

    /// <summary>
    /// Claims nothing any more, and stops what runs, for others to take. What has not stopped after the grace is handed
    /// back as it is: its attempt ends, and what it still brings is not recorded.
    /// </summary>
    public async Task LeaveAsync(TimeSpan grace)
    {
        var idle = slots.Close();
        Running.HandBackAll();
        try
        {
            await idle.WaitAsync(grace, time);
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
            await ExecuteAsync(claim);
        }
        finally
        {
            if (claim.Group == StageGroup.Gpu)
                gpu.Release();
        }

        return claim.Run;
    }

    public void Dispose() => gpu.Dispose();

    private async Task ExecuteAsync(StageClaim claim)
    {
        using var running = Running.Add(claim);
        if (slots.Closed)
            running.Stop(StopReason.HandedBack);
        using var limit = Limit(running);
        using var use = artifacts.Use();
        try
        {
            FaultPoint.Reach(FaultPoint.Claimed, claim.Stage);
            var (result, kept) = await FindOrComputeAsync(running, use);
            LogCompleted(claim.Run, claim.Stage, claim.Attempt);
            FaultPoint.Reach(FaultPoint.ArtifactWritten, claim.Stage);
            await RecordAsync(claim, cancellation => stages.CompleteAsync(claim, result, cancellation));
            FaultPoint.Reach(FaultPoint.StageRecorded, claim.Stage);
            if (kept is { Any: true })
                await kept.ForgetAsync();
        }
        catch (OperationCanceledException) when (running.Token.IsCancellationRequested)
        {
            LogStopped(claim.Run, claim.Stage, claim.Attempt, running.Reason);
            await RecordAsync(claim, cancellation => running.Reason switch
            {
                StopReason.HandedBack => stages.HandBackAsync(claim, cancellation),
                StopReason.Cancelled => stages.CancelAsync(claim, cancellation),
                StopReason.TimedOut => stages.FailAsync(
                    claim, $"it took longer than its timeout of {claim.Timeout} s", null, cancellation),
                _ => Task.FromResult(true), // another worker's by now: nothing of it is recorded
            });
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

    private ITimer? Limit(RunningStage running) => running.Claim.Timeout is { } seconds
        ? time.CreateTimer(_ => running.Stop(StopReason.TimedOut), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan)
        : null;

    /// <returns>The result, and the checkpoints that its computation left; null when it was reused.</returns>
    private async Task<(StageResult, StageCheckpoints?)> FindOrComputeAsync(RunningStage running, ArtifactUse use)
    {
        var (claim, cancellation) = (running.Claim, running.Token);
        var entry = catalog.Find(claim.Kind)
            ?? throw new StageException($"this worker does not know the activity '{claim.Kind}'");
        if (entry.Version != claim.Version)
        {
            throw new StageException(
                $"the run was planned with version {claim.Version} of {claim.Kind}, this worker has {entry.Version}");
        }

        var key = CacheKey.Of(claim.Kind, claim.Version, claim.Parameters, claim.Inputs, entry.Source(claim.Parameters));
        if (claim.UseCache && await cache.FindAsync(key, cancellation) is { } known)
            return (new StageResult(known, key, Reused: true), null);
        var kept = await StageCheckpoints.OpenAsync(
            checkpoints, use, running, key, options.CheckpointInterval, time,
            options.LoggerFactory.CreateLogger<StageCheckpoints>(), cancellation);
        return (new StageResult(await ComputeAsync(claim, entry, use, kept, cancellation), key, Reused: false), kept);
    }

    private async Task<JsonElement> ComputeAsync(
        StageClaim claim, CatalogEntry entry, IArtifacts use, ICheckpoints kept, CancellationToken cancellation)
    {
        var scratch = work.Create("scratch");
        try
        {
            await using var reporter = new StageReporter(
                stages, claim, time, options.LoggerFactory.CreateLogger<StageReporter>());
            var device = options.Serve.Contains(StageGroup.Gpu) ? options.GpuDevice : "cpu";
            var context = new StageContext(
                claim.Run, claim.Stage, claim.Attempt, use, device, scratch, reporter.Progress, reporter.Log, kept);
            return await StageThread.RunAsync(
                $"stage {claim.Stage}", () => entry.Run(Complete(claim.Inputs, entry), claim.Parameters, context, cancellation));
        }
        finally
        {
            ProcessFolder.Delete(scratch);
        }
    }

    /// <summary>An input that nothing feeds is null; the strict reader wants it said.</summary>
    private static JsonElement Complete(JsonElement inputs, CatalogEntry entry)
    {
        var complete = JsonObject.Create(inputs)!;
        foreach (var port in entry.Inputs.Where(port => !complete.ContainsKey(port.Name)))
            complete[port.Name] = null;
        return JsonSerializer.SerializeToElement(complete);
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
