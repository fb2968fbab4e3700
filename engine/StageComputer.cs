using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Pipelines.Engine.Isolation;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>Computes a stage: on a thread of this process, or in a process of its own.</summary>
internal sealed partial class StageComputer(
    StageStore stages, Recording recording, ProcessFolder work, RunningStages all, EngineOptions options,
    TimeProvider time)
{
    private readonly ILogger<StageComputer> logger = options.LoggerFactory.CreateLogger<StageComputer>();

    private int Slots => options.Slots.Values.Sum(devices => devices.Count);

    /// <exception cref="OperationCanceledException">It was told to stop, and has, or the grace is over.</exception>
    public async Task<JsonElement> ComputeAsync(
        RunningStage running, CatalogEntry entry, IArtifacts artifacts, ICheckpoints checkpoints)
    {
        var claim = running.Claim;
        var scratch = work.Create("scratch");
        try
        {
            await using var reporter = new StageReporter(
                stages, claim, time, options.LoggerFactory.CreateLogger<StageReporter>());
            var request = new StageRequest(
                claim.Run, claim.Stage, claim.Attempt, claim.Kind, claim.Version, Complete(claim.Inputs, entry), claim.Parameters,
                claim.Device, options.DataFolder, options.Artifacts, scratch,
                checkpoints.Latest, options.CheckpointInterval);
            return claim.Isolation == Workflows.Isolation.Process
                ? await InProcessAsync(running, request, reporter, checkpoints)
                : await OnThreadAsync(running, request, entry, artifacts, reporter, checkpoints);
        }
        finally
        {
            if (running.LeftBehind is { } thread)
                running.LeaveBehind(thread.ContinueWith(_ => ProcessFolder.Delete(scratch), TaskScheduler.Default));
            else
                ProcessFolder.Delete(scratch);
        }
    }

    /// <summary>A thread cannot be killed: one that goes on after the grace is left behind, and its slot with it.</summary>
    private async Task<JsonElement> OnThreadAsync(
        RunningStage running, StageRequest request, CatalogEntry entry, IArtifacts artifacts, StageReporter reporter,
        ICheckpoints checkpoints)
    {
        var context = new StageContext(
            request.Run, request.Stage, request.Attempt, artifacts, request.Device, request.Scratch, reporter.Progress, reporter.Log,
            checkpoints);
        var thread = StageThread.RunAsync($"stage {request.Stage}", () =>
        {
            FaultPoint.Compute(request.Stage);
            return entry.Run(request.Inputs, request.Parameters, context, running.Token);
        });
        if (await running.EndsAsync(thread, options.Grace, time))
            return await thread;
        running.LeaveBehind(thread);
        reporter.Log(
            $"the stage did not stop within {options.Grace.TotalSeconds:0.#} s of being told to: its thread goes on, and what it "
            + "brings is not recorded; with \"isolation\": \"process\" it would have been killed");
        LogLeftBehind(request.Run, request.Stage, request.Attempt, options.Grace.TotalSeconds, all.LeftBehind, Slots);
        if (all.LeftBehind >= Slots)
            LogNoSlotLeft(Slots);
        throw new OperationCanceledException(running.Token);
    }

    private async Task<JsonElement> InProcessAsync(
        RunningStage running, StageRequest request, StageReporter reporter, ICheckpoints checkpoints)
    {
        var command = options.StageProcess
            ?? throw new StageException("the stage wants a process of its own, and this worker was given no program to start for it");
        using var process = new StageProcess(command, running, reporter, checkpoints, options.Grace, time);
        var (answer, exitCode) = await process.RunAsync(request);
        await recording.UntilDoneAsync(cancellation => stages.ExitAsync(running.Claim.Key, exitCode, cancellation));
        if (answer is StageDone done)
            return done.Outputs;
        work.SweepDead(); // killed or crashed, it left its drafts behind
        throw answer switch
        {
            StageFailed failure => new StageFailedException(failure),
            StageStopped => new OperationCanceledException(running.Token),
            _ when running.Reason is not null => new OperationCanceledException(running.Token),
            _ => new StageCrashException(exitCode, string.Join('\n', process.LastLines())),
        };
    }

    /// <summary>An input that nothing feeds is null; the strict reader wants it said.</summary>
    private static JsonElement Complete(JsonElement inputs, CatalogEntry entry)
    {
        var complete = JsonObject.Create(inputs)!;
        foreach (var port in entry.Inputs.Where(port => !complete.ContainsKey(port.Name)))
            complete[port.Name] = null;
        return JsonSerializer.SerializeToElement(complete);
    }

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: stage {StageId} (attempt {Attempt}) did not stop within {Grace} s; its thread goes on, and what it brings is not recorded; {LeftBehind} of {Slots} slots are taken by such threads")]
    private partial void LogLeftBehind(Guid runId, string stageId, int attempt, double grace, int leftBehind, int slots);

    [LoggerMessage(LogLevel.Error, "All {Slots} slots of this worker are taken by stages that did not stop when they were told to: it takes no more until they end, or it is started again")]
    private partial void LogNoSlotLeft(int slots);
}
