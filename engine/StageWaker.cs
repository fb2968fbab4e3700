using System.Globalization;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Pipelines.Engine.Schedules;
using Pipelines.Storage;
using Quartz;
using Database = Pipelines.Storage.Database;

namespace Pipelines.Engine;

/// <summary>
/// Quartz, clustered over the same Postgres: it stores wakes in our transactions, and fires them on the workers that
/// serve their group. It is built when first needed, and started only in a worker.
/// </summary>
internal sealed class StageWaker(
    Database database, EngineOptions options, string worker, DatabaseListener listener, TimeProvider time, Func<StageJob> job)
    : IAsyncDisposable
{
    /// <summary>More slots than this are not woken at once; each wake takes Quartz's one lock.</summary>
    private const int MostWakes = 32;

    /// <summary>Every worker serves it.</summary>
    private const string AlarmGroup = "alarm";

    /// <summary>An alarm that came too early would be set once more.</summary>
    private static readonly TimeSpan AlarmDelay = TimeSpan.FromMilliseconds(20);

    /// <summary>When a wake that waits for nothing is due: long ago, also by a clock that is behind ours.</summary>
    private static readonly DateTimeOffset AtOnce = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly JobKey Stages = new("stages", "pipelines");
    private static readonly JobKey Alarms = new("alarms", "pipelines");
    private readonly SemaphoreSlim building = new(1);
    private StandaloneSchedulerFactory? factory;
    private IScheduler? scheduler;

    /// <summary>An alarm that some process set has come.</summary>
    public event Action? Alarm;

    public async Task StartAsync(CancellationToken cancellation) =>
        await (await SchedulerAsync(cancellation)).Start(cancellation);

    /// <summary>Fires nothing any more; what was fired goes on.</summary>
    public async Task PauseAsync()
    {
        if (scheduler is not null)
            await scheduler.Standby(CancellationToken.None);
    }

    /// <summary>Builds the scheduler before a transaction is open, where building it would keep others waiting.</summary>
    public async Task<IScheduler> SchedulerAsync(CancellationToken cancellation)
    {
        if (scheduler is not null)
            return scheduler;
        await building.WaitAsync(cancellation);
        try
        {
            return scheduler ??= await BuildAsync(cancellation);
        }
        finally
        {
            building.Release();
        }
    }

    /// <inheritdoc cref="CommitAndWake"/>
    public async Task CommitAsync(
        PipelinesDb db, IReadOnlyList<Wake> wakes, CancellationToken cancellation)
    {
        if (wakes.Count == 0)
        {
            await db.Database.CommitTransactionAsync(cancellation);
            FaultPoint.Committed();
            return;
        }

        var quartz = await SchedulerAsync(cancellation);
        var counts = await CountAsync(db, wakes, cancellation);
        // Quartz signals itself when the scope ends, so the commit comes before that.
        using (quartz.EnlistTransaction(db.Database.CurrentTransaction!.GetDbTransaction()))
        {
            foreach (var (wake, count) in wakes.Zip(counts))
            {
                for (var i = 0; i < count; i++)
                    await quartz.ScheduleJob(Trigger(wake), cancellationToken: cancellation);
            }

            await Channels.NotifyAsync(db, Channels.Wake, cancellation);
            await db.Database.CommitTransactionAsync(cancellation);
            FaultPoint.Committed();
        }
    }

    /// <summary>Wakes in a transaction of their own.</summary>
    public async Task WakeAsync(IReadOnlyList<Wake> wakes, CancellationToken cancellation)
    {
        if (wakes.Count == 0)
            return;
        await using var db = database.Create();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        await CommitAsync(db, wakes, cancellation);
    }

    /// <summary>Wakes one worker after this much; a second time for the same second changes nothing.</summary>
    public async Task SetAlarmAsync(TimeSpan after, CancellationToken cancellation)
    {
        var at = time.GetUtcNow() + after;
        var second = (at + TimeSpan.FromSeconds(0.5)).ToUnixTimeSeconds();
        var alarm = TriggerBuilder.Create()
            .ForJob(Alarms)
            .WithIdentity(second.ToString(CultureInfo.InvariantCulture), "alarms")
            .WithExecutionGroup(AlarmGroup)
            .WithSimpleSchedule(once => once.WithMisfireInstruction(SimpleTriggerMisfireInstruction.IgnoreMisfires))
            .StartAt(at + AlarmDelay)
            .Build();
        await (await SchedulerAsync(cancellation)).ScheduleTrigger(alarm, TriggerConflict.Keep, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        // The stages have ended by now; Quartz only has to note that its firings did.
        if (scheduler is not null)
            await scheduler.Shutdown(waitForJobsToComplete: true, CancellationToken.None);
        if (factory is not null)
            await factory.DisposeAsync();
        building.Dispose();
    }

    private async Task<IScheduler> BuildAsync(CancellationToken cancellation)
    {
        factory = QuartzSchedulerBuilder.Create(Configure).Build();
        var built = await factory.GetScheduler(cancellation);
        var stages = JobBuilder.Create<StageJob>().WithIdentity(Stages).StoreDurably().RequestRecovery().Build();
        await built.AddJob(stages, AddJobOptions.Replacing, cancellation);
        var alarms = JobBuilder.Create<AlarmJob>().WithIdentity(Alarms).StoreDurably().Build();
        await built.AddJob(alarms, AddJobOptions.Replacing, cancellation);
        return built;
    }

    private void Configure(IQuartzBuilder quartz)
    {
        quartz.Services.AddSingleton(options.LoggerFactory);
        quartz.Services.AddLogging();
        quartz.Services.AddSingleton(listener);
        quartz.ConfigureScheduler(scheduler =>
        {
            scheduler.InstanceName = "pipelines";
            scheduler.InstanceId = worker;
            scheduler.IdleWaitTime = TimeSpan.FromSeconds(5); // when a NOTIFY got lost
        });
        var slots = options.Slots;
        quartz.UseDefaultThreadPool(Math.Max(1, slots.Values.Sum(group => group.Count)));
        quartz.ServeExecutionGroups([.. slots.Keys, AlarmGroup]);
        // A wake that finds the slots of its group taken here is left to another worker.
        quartz.UseExecutionLimits(limits =>
        {
            foreach (var (group, devices) in slots)
                limits.ForGroup(group, devices.Count);
        });
        quartz.AddJobType(_ => job());
        quartz.AddJobType(_ => new AlarmJob(() => Alarm?.Invoke()));
        quartz.AddPlugin<PgWake>("pgwake");
        quartz.UsePersistentStore(store =>
        {
            store.UsePostgres(source => source.DataSourceFactory = _ => database.Source);
            store.UseSystemTextJsonSerializer();
            store.UseClustering(cluster =>
            {
                cluster.CheckinInterval = TimeSpan.FromSeconds(5);
                cluster.CheckinMisfireThreshold = TimeSpan.FromSeconds(15); // longer than a worker's worst pause
            });
            store.ConfigureStore(tables =>
            {
                tables.TablePrefix = "quartz.qrtz_";
                tables.AcceptEnlistedTransactions = true;
            });
            store.ProvisionSchema();
        });
    }

    /// <summary>No more slots than there are; at least one, for a worker that is still to come.</summary>
    private static async Task<List<int>> CountAsync(
        PipelinesDb db, IReadOnlyList<Wake> wakes, CancellationToken cancellation)
    {
        if (wakes.All(wake => wake.Count == 1))
            return [.. wakes.Select(_ => 1)];
        var slots = await WorkerStore.SlotsAsync(db, cancellation);
        return
        [
            .. wakes.Select(wake => Math.Min(
                wake.Count, Math.Clamp(slots.GetValueOrDefault(wake.Group), 1, MostWakes))),
        ];
    }

    private ITrigger Trigger(Wake wake) => TriggerBuilder.Create()
        .ForJob(Stages)
        .WithIdentity(Guid.CreateVersion7().ToString("N"), "wakes")
        .WithExecutionGroup(wake.Group)
        .UsingJobData(StageJob.RunKey, wake.Run.ToString())
        .WithSimpleSchedule(once => once.WithMisfireInstruction(SimpleTriggerMisfireInstruction.IgnoreMisfires))
        .StartAt(wake.After is { } pause ? time.GetUtcNow() + pause : AtOnce)
        .Build();
}
