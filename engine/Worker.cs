using System.Globalization;
using Microsoft.Extensions.Logging;
using Pipelines.Storage;

namespace Pipelines.Engine;

/// <summary>
/// This process as a worker: it says that it lives, takes stages from workers that do not, and looks for stages whose wake
/// got lost.
/// </summary>
internal sealed partial class Worker(
    WorkerRow row, WorkerStore workers, StageStore stages, LeaseKeeper leases, StageWaker waker, StageExecutor executor,
    DatabaseListener listener, Database database, TimeSpan lease, TimeProvider time, ILogger<Worker> logger) : IAsyncDisposable
{
    /// <summary>So many times in a lease every worker looks for those of others that have lapsed.</summary>
    private const int RescuesPerLease = 15;

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Overdue = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource stop = new();
    private Task[] loops = [];

    /// <summary>The worker's name: host, process, and something that no other process had.</summary>
    public static WorkerRow Describe(EngineOptions options) => new()
    {
        Id = string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..6]}"),
        Host = Environment.MachineName,
        Pid = Environment.ProcessId,
        Groups = [.. options.Serve],
        Slots = options.Slots,
    };

    public async Task StartAsync(CancellationToken cancellation)
    {
        await workers.JoinAsync(row, cancellation);
        leases.Start();
        listener.RunCancelled += executor.Running.Cancel;
        await listener.StartAsync(cancellation);
        await waker.StartAsync(cancellation);
        await RescueAsync(cancellation);
        await LookAsync(TimeSpan.Zero, cancellation);
        loops =
        [
            RepeatAsync(lease / RescuesPerLease, RescueAsync),
            RepeatAsync(Look, cancellation => LookAsync(Overdue, cancellation)),
        ];
    }

    /// <summary>Leaves: what runs is handed back, and whoever remains is woken for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await waker.PauseAsync();
        await executor.LeaveAsync();
        await stop.CancelAsync();
        await Task.WhenAll(loops);
        leases.Dispose();
        listener.RunCancelled -= executor.Running.Cancel;
        try
        {
            await workers.LeaveAsync(row.Id, CancellationToken.None);
            // Where a slot ended a stage and would have gone on with the next one, nobody else was woken for it.
            var ready = await workers.OverdueAsync(row.Groups, TimeSpan.Zero, CancellationToken.None);
            await waker.WakeAsync(ready, CancellationToken.None);
        }
        catch (Exception error)
        {
            LogTrouble(error.Message); // the others see that it is gone when it is not seen
        }

        stop.Dispose();
    }

    private async Task RescueAsync(CancellationToken cancellation)
    {
        foreach (var lost in await stages.RescueAsync(cancellation))
            LogRescued(lost.Run, lost.Stage, lost.Attempt);
    }

    private async Task LookAsync(TimeSpan readyFor, CancellationToken cancellation)
    {
        var idle = row.Slots - executor.Running.Count;
        if (idle <= 0)
            return;
        var overdue = await workers.OverdueAsync(row.Groups, readyFor, cancellation);
        if (overdue.Count > 0)
            await waker.WakeAsync([.. overdue.Select(wake => wake with { Count = Math.Min(wake.Count, idle) })], cancellation);
    }

    private async Task ReviveAsync()
    {
        try
        {
            await database.ReviveAsync(stop.Token);
        }
        catch (DatabaseException error)
        {
            LogTrouble(error.Message);
        }
    }

    private async Task RepeatAsync(TimeSpan period, Func<CancellationToken, Task> action)
    {
        using var timer = new PeriodicTimer(period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                try
                {
                    await action(stop.Token);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    LogTrouble(error.Message);
                    await ReviveAsync();
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: the worker of stage {StageId} (attempt {Attempt}) is gone; another takes it")]
    private partial void LogRescued(Guid runId, string stageId, int attempt);

    [LoggerMessage(LogLevel.Warning, "The worker cannot reach the database: {Reason}")]
    private partial void LogTrouble(string reason);
}
