using Pipelines.Workflows;

namespace Pipelines.Engine.Isolation;

/// <summary>The checkpoints of a stage that has a process of its own: it writes their files, its worker keeps them.</summary>
internal sealed class ChildCheckpoints(WorkerLink worker, StageRequest request, TimeProvider time) : ICheckpoints
{
    private long last = time.GetTimestamp();

    public StageCheckpoint? Latest => request.Checkpoint;

    public bool Due(TimeSpan interval) =>
        worker.Stop.IsCancellationRequested || time.GetElapsedTime(last) >= (request.Interval ?? interval);

    public void Save(long steps, Action<string> write)
    {
        worker.Send(new CheckpointOffered(steps));
        var answer = worker.Answer();
        if (answer is WriteCheckpoint(var folder))
            answer = Write(folder, write);
        if (answer is CheckpointKept { Error: { } error })
            throw new ArtifactException(error);
        last = time.GetTimestamp();
    }

    private ToStage Write(string folder, Action<string> write)
    {
        try
        {
            write(folder);
        }
        catch
        {
            worker.Send(new CheckpointWritten(Whole: false));
            worker.Answer();
            throw;
        }

        worker.Send(new CheckpointWritten(Whole: true));
        return worker.Answer();
    }
}
