using Microsoft.Extensions.Logging;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>The checkpoints of one attempt: artifacts, the last of which the database names.</summary>
internal sealed partial class StageCheckpoints : ICheckpoints
{
    private readonly CheckpointStore store;
    private readonly ArtifactUse artifacts;
    private readonly RunningStage stage;
    private readonly string key;
    private readonly TimeSpan? interval;
    private readonly TimeProvider time;
    private readonly ILogger<StageCheckpoints> logger;
    private long last;

    private StageCheckpoints(
        CheckpointStore store, ArtifactUse artifacts, RunningStage stage, string key, TimeSpan? interval,
        TimeProvider time, ILogger<StageCheckpoints> logger)
    {
        (this.store, this.artifacts, this.stage, this.key) = (store, artifacts, stage, key);
        (this.interval, this.time, this.logger) = (interval, time, logger);
        last = time.GetTimestamp();
    }

    public StageCheckpoint? Latest { get; private set; }

    /// <summary>Whether there is one to forget when the stage has succeeded.</summary>
    public bool Any { get; private set; }

    /// <summary>With the checkpoint that an earlier attempt left, if it is for this work and whole.</summary>
    /// <param name="key">The cache key of the work.</param>
    /// <param name="interval">In place of what the stage asks for; null for none.</param>
    public static async Task<StageCheckpoints> OpenAsync(
        CheckpointStore store, ArtifactUse artifacts, RunningStage stage, string key, TimeSpan? interval,
        TimeProvider time, ILogger<StageCheckpoints> logger, CancellationToken cancellation)
    {
        var checkpoints = new StageCheckpoints(store, artifacts, stage, key, interval, time, logger);
        // The first attempt of a stage has none.
        if (stage.Claim.Attempt > 1)
            await checkpoints.FindAsync(cancellation);
        return checkpoints;
    }

    public bool Due(TimeSpan interval) =>
        stage.Reason is not null || time.GetElapsedTime(last) >= (this.interval ?? interval);

    public void Save(long steps, Action<string> write)
    {
        var draft = artifacts.Begin();
        try
        {
            write(draft.Folder);
            // The stage's thread waits here: what goes on after an await must not be waiting for it.
            Task.Run(() => RecordAsync(steps, draft)).GetAwaiter().GetResult();
        }
        finally
        {
            Task.Run(() => draft.DisposeAsync().AsTask()).GetAwaiter().GetResult();
        }

        last = time.GetTimestamp();
    }

    /// <summary>Lets go of the last one: the stage has succeeded.</summary>
    public async Task ForgetAsync()
    {
        try
        {
            foreach (var hash in await store.ForgetAsync(stage.Claim.Run, [stage.Claim.Stage], CancellationToken.None))
                await artifacts.RemoveAsync(hash, CancellationToken.None);
        }
        catch (Exception error) when (Recording.IsPassing(error))
        {
            LogUnforgotten(stage.Claim.Run, stage.Claim.Stage, error.Message); // garbage, and collected as such
        }
    }

    private async Task FindAsync(CancellationToken cancellation)
    {
        if (await store.FindAsync(stage.Claim.Key, key, cancellation) is not var (step, hash))
            return;
        try
        {
            Latest = new StageCheckpoint(await artifacts.OpenAsync(hash, cancellation), step);
            Any = true;
            await store.GoOnAsync(stage.Claim.Key, step, cancellation);
        }
        catch (ArtifactException error)
        {
            LogDamaged(stage.Claim.Run, stage.Claim.Stage, error.Message);
        }
    }

    private async Task RecordAsync(long steps, ArtifactDraft draft)
    {
        try
        {
            var hash = await draft.CommitAsync(CancellationToken.None);
            FaultPoint.Reach(FaultPoint.CheckpointWritten, stage.Claim.Stage, steps);
            if (await store.SaveAsync(stage.Claim.Key, key, steps, hash, CancellationToken.None) is not { } unused)
            {
                stage.Stop(StopReason.Lost);
                return;
            }

            Any = true;
            FaultPoint.Reach(FaultPoint.CheckpointRecorded, stage.Claim.Stage, steps);
            foreach (var old in unused.Where(old => old != hash))
                await artifacts.RemoveAsync(old, CancellationToken.None);
        }
        catch (Exception error) when (Recording.IsPassing(error))
        {
            LogUnsaved(stage.Claim.Run, stage.Claim.Stage, steps, error.Message); // the one before stands
        }
    }

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: the checkpoint of stage {StageId} cannot be used, it begins anew: {Reason}")]
    private partial void LogDamaged(Guid runId, string stageId, string reason);

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: checkpoint {Step} of stage {StageId} is not recorded: {Reason}")]
    private partial void LogUnsaved(Guid runId, string stageId, long step, string reason);

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: the last checkpoint of stage {StageId} stays for now: {Reason}")]
    private partial void LogUnforgotten(Guid runId, string stageId, string reason);
}
