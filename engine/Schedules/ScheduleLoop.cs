using Microsoft.Extensions.Logging;
using Pipelines.Storage;
using Quartz;

namespace Pipelines.Engine.Schedules;

/// <summary>
/// Looks for schedules that are due: when Quartz's alarm fires, when a schedule changed, and once a minute in case that
/// neither was heard, since an alarm needs a free slot. Then it sets the alarm for the next time.
/// </summary>
internal sealed partial class ScheduleLoop(
    ScheduleRunner runner, ScheduleStore schedules, StageWaker waker, DatabaseListener listener, TimeProvider time,
    ILogger<ScheduleLoop> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stop = new();
    private TaskCompletionSource bell = NewBell();
    private Task loop = Task.CompletedTask;

    public void Start()
    {
        listener.SchedulesChanged += Ring;
        listener.Missed += Ring;
        waker.Alarm += Ring;
        loop = LoopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        listener.SchedulesChanged -= Ring;
        listener.Missed -= Ring;
        waker.Alarm -= Ring;
        await stop.CancelAsync();
        await loop;
        stop.Dispose();
    }

    private void Ring() => Volatile.Read(ref bell).TrySetResult();

    private async Task LoopAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            // Renewed before looking, so that what changes meanwhile is looked for again.
            Volatile.Write(ref bell, NewBell());
            try
            {
                await runner.LookAsync(stop.Token);
                if (await schedules.UntilNextAsync(stop.Token) is { } rest)
                    await waker.SetAlarmAsync(rest, stop.Token);
            }
            catch (Exception error)
            {
                // Quartz says in its own words that it was stopped.
                if (!stop.IsCancellationRequested)
                    LogTrouble(error.Message);
            }

            await bell.Task.WaitAsync(Longest, time, stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private static TaskCompletionSource NewBell() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(LogLevel.Warning, "Schedules were not looked at: {Reason}")]
    private partial void LogTrouble(string reason);
}

/// <summary>
/// What Quartz fires at the next time of any schedule: a wake, not a ticket. The class's name is stored; it stays.
/// </summary>
internal sealed class AlarmJob(Action ring) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        ring();
        return ValueTask.CompletedTask;
    }
}
