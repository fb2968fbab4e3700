using System.Globalization;
using Microsoft.Extensions.Logging;
using Pipelines.Storage;
using Pipelines.Workflows;

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
    private readonly TaskCompletionSource draining = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task[] loops = [];
    private Task? withdrawal;

    /// <summary>Done when this worker was told to leave.</summary>
    public Task Draining => draining.Task;

    /// <summary>Done when this worker was told to leave, and nothing that it was to finish runs.</summary>
    public Task Drained => drained.Task;

    /// <summary>The worker's name: host, process, and something that no other process had.</summary>
    public static WorkerRow Describe(EngineOptions options)
    {
        var slots = options.Slots.ToDictionary(group => group.Key, group => group.Value.Count);
        return new()
        {
            Id = string.Create(
                CultureInfo.InvariantCulture,
                $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..6]}"),
            Host = Environment.MachineName,
            Pid = Environment.ProcessId,
            Groups = [.. slots.Keys],
            Slots = slots.Values.Sum(),
            SlotsByGroup = Json.Write(slots).GetRawText(),
            Devices = [.. options.Gpus],
        };
    }

    public async Task StartAsync(CancellationToken cancellation)
    {
        await workers.JoinAsync(row, cancellation);
        leases.Drained += Drain;
        leases.Start();
        listener.RunCancelled += executor.Running.Cancel;
        listener.DrainRequested += HurryIfMine;
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
        listener.RunCancelled -= executor.Running.Cancel;
        listener.DrainRequested -= HurryIfMine;
        leases.Dispose();
        if (withdrawal is not null)
            await withdrawal;
        try
        {
            await workers.LeaveAsync(row.Id, CancellationToken.None);
            await WakeOthersAsync();
        }
        catch (Exception error)
        {
            LogTrouble(error.Message); // the others see that it is gone when it is not seen
        }

        stop.Dispose();
    }

    private void HurryIfMine(string worker)
    {
        if (worker == row.Id)
            leases.Hurry();
    }

    private void Drain(DrainOrder order)
    {
        var handBack = order == DrainOrder.HandBack;
        var idle = executor.Close(handBack);
        draining.TrySetResult();
        if (withdrawal is null)
        {
            withdrawal = WithdrawAsync();
            idle.ContinueWith(_ => drained.TrySetResult(), TaskScheduler.Default);
        }

        if (handBack)
            drained.TrySetResult();
    }

    /// <summary>Is given no wakes any more, and leaves those that it was given to others.</summary>
    private async Task WithdrawAsync()
    {
        LogDraining(executor.Running.Count);
        try
        {
            await Task.Run(waker.PauseAsync);
            await WakeOthersAsync();
        }
        catch (Exception error)
        {
            LogTrouble(error.Message); // the others look by themselves
        }
    }

    /// <summary>Where a slot ended a stage and would have gone on with the next one, nobody else was woken for it.</summary>
    private async Task WakeOthersAsync() => await waker.WakeAsync(
        await workers.OverdueAsync(row.Groups, TimeSpan.Zero, CancellationToken.None), CancellationToken.None);

    private async Task RescueAsync(CancellationToken cancellation)
    {
        foreach (var lost in await stages.RescueAsync(cancellation))
            LogRescued(lost.Run, lost.Stage, lost.Attempt);
    }

    private async Task LookAsync(TimeSpan readyFor, CancellationToken cancellation)
    {
        var free = executor.FreeSlots.Where(group => group.Value > 0).ToDictionary();
        if (free.Count == 0)
            return;
        var overdue = await workers.OverdueAsync([.. free.Keys], readyFor, cancellation);
        await waker.WakeAsync([.. overdue.Select(wake => wake with { Count = Math.Min(wake.Count, free[wake.Group]) })], cancellation);
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

    [LoggerMessage(LogLevel.Information, "The worker was told to leave: it takes nothing any more, and {Count} of its stages run")]
    private partial void LogDraining(int count);

    [LoggerMessage(LogLevel.Warning, "The worker cannot reach the database: {Reason}")]
    private partial void LogTrouble(string reason);
}
