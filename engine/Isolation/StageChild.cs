using Microsoft.Extensions.Logging.Abstractions;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine.Isolation;

/// <summary>The process of one stage: what <see cref="EngineOptions.StageProcess"/> starts. It never speaks to the database.</summary>
public static class StageChild
{
    private const int Done = 0;
    private const int Failed = 1;
    private const int Stopped = 130;

    /// <summary>Runs the stage that standard input asks for.</summary>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="EngineException">Standard input asks for nothing.</exception>
    public static async Task<int> RunAsync(Catalog catalog)
    {
        using var worker = WorkerLink.Open();
        var request = worker.Begin();
        try
        {
            var entry = catalog.Find(request.Kind, request.Version);
            using var work = ProcessFolder.Open(request.Data);
            using var artifacts = ArtifactStore.Open(
                request.Artifacts, request.Data, work, TimeProvider.System, NullLoggerFactory.Instance).Use();
            var context = new StageContext(
                request.Run, request.Stage, request.Attempt, artifacts, request.Device,
                request.Scratch, progress => worker.Send(new StageReported(progress.Finite())),
                text => worker.Send(new StageLogged(text)), new ChildCheckpoints(worker, request, TimeProvider.System));
            var outputs = await StageThread.RunAsync($"stage {request.Stage}", () =>
            {
                FaultPoint.Compute(request.Stage);
                return entry.Run(request.Inputs, request.Parameters, context, worker.Stop);
            });
            worker.Send(new StageDone(outputs));
            return Done;
        }
        catch (OperationCanceledException) when (worker.Stop.IsCancellationRequested)
        {
            worker.Send(new StageStopped());
            return Stopped;
        }
        catch (Exception error)
        {
            var (message, detail) = StageFailure.Describe(error);
            worker.Send(new StageFailed(message, detail));
            return Failed;
        }
    }
}
