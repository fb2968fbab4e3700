using System.Collections.Concurrent;
using Pipelines.Storage;

namespace Pipelines.Engine;

/// <summary>The stages that this process runs at the moment, so that they can be told to stop.</summary>
internal sealed class RunningStages
{
    private readonly ConcurrentDictionary<RunningStage, byte> running = new();

    public int Count => running.Count;

    /// <summary>Those whose attempt has ended, while their thread goes on.</summary>
    public int LeftBehind => running.Keys.Count(stage => stage.LeftBehind is not null);

    public RunningStage Add(StageClaim claim)
    {
        var stage = new RunningStage(claim, left => running.TryRemove(left, out _));
        running[stage] = 0;
        return stage;
    }

    /// <summary>Their user cancelled the run.</summary>
    public void Cancel(Guid run)
    {
        foreach (var stage in running.Keys.Where(stage => stage.Claim.Run == run))
            stage.Stop(StopReason.Cancelled);
    }

    /// <summary>The attempt's lease lapsed, and the stage was given to another worker.</summary>
    public void Lose(StageClaim claim)
    {
        foreach (var stage in running.Keys.Where(stage => stage.Claim == claim))
            stage.Stop(StopReason.Lost);
    }

    /// <summary>This process is about to leave.</summary>
    public void HandBackAll()
    {
        foreach (var stage in running.Keys)
            stage.Stop(StopReason.HandedBack);
    }

    public IReadOnlyList<StageClaim> Claims =>
        [.. running.Keys.Where(stage => stage.LeftBehind is null).Select(stage => stage.Claim)];
}

internal enum StopReason
{
    Cancelled,
    HandedBack,

    /// <summary>It is another worker's now.</summary>
    Lost,

    /// <summary>It took longer than its own limit.</summary>
    TimedOut,
}

/// <summary>One stage that runs here, and the token that it hears.</summary>
internal sealed class RunningStage(StageClaim claim, Action<RunningStage> leave) : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly Lock held = new();

    public StageClaim Claim => claim;

    public CancellationToken Token => source.Token;

    /// <summary>Null until it is told to stop; the first reason stands.</summary>
    public StopReason? Reason { get; private set; }

    /// <summary>What goes on although the attempt has ended; null for nothing.</summary>
    public Task? LeftBehind { get; private set; }

    public void LeaveBehind(Task thread) => LeftBehind = thread;

    /// <summary>Waits for the task for as long as the stage may go on, and for the grace after it was told to stop.</summary>
    /// <returns>Whether it has ended.</returns>
    public async Task<bool> EndsAsync(Task task, TimeSpan grace, TimeProvider time)
    {
        await Task.WhenAny(task, Task.Delay(Timeout.InfiniteTimeSpan, time, Token));
        if (!task.IsCompleted)
            await Task.WhenAny(task, Task.Delay(grace, time));
        return task.IsCompleted;
    }

    public void Stop(StopReason reason)
    {
        lock (held)
        {
            if (Reason is not null)
                return;
            Reason = reason;
        }

        // Callbacks run elsewhere: this may be the thread that reads the database's announcements.
        _ = source.CancelAsync();
    }

    // The source is left to the collector: whoever stops it may be doing so right now.
    public void Dispose() => leave(this);
}
