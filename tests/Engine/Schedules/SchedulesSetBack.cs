using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine.Schedules;

/// <summary>Schedules whose last time is set back in the table, so that nobody waits for a clock.</summary>
public abstract class SchedulesSetBack(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    /// <summary>Far from now, so that no time comes while a test runs.</summary>
    protected static readonly string Daily = $"0 {(TimeProvider.System.GetUtcNow().Hour + 12) % 24} * * *";

    private protected Database Database { get; private set; } = null!;

    protected FreshDatabase Fresh => fresh;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Database = await Database.OpenAsync(fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        await using var db = Database.Create();
        await db.Database.ExecuteSqlAsync($"TRUNCATE pipelines.runs, pipelines.schedules CASCADE", Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected static bool IsOver(FireView fire) =>
        fire.Outcome is FireOutcome.Skipped or FireOutcome.Failed || fire.State is not (null or RunState.Running);

    protected static Task<ScheduleView> AddAsync(
        PipelinesEngine engine, string name, MissedPolicy missed, OverlapPolicy overlap, params StageDefinition[] stages) =>
        AddAsync(engine, name, missed, overlap, stages, Daily);

    protected static Task<ScheduleView> AddAsync(
        PipelinesEngine engine, string name, MissedPolicy missed, OverlapPolicy overlap, StageDefinition[] stages, string cron) =>
        engine.Schedules.AddAsync(
            name, cron, "UTC", missed, overlap, new WorkflowDefinition("toy", stages),
            new Dictionary<string, JsonElement>(), Cancellation);

    /// <summary>A worker whose run of this schedule stands at a door of the same name.</summary>
    protected async Task<PipelinesEngine> WithBlockedRunAsync(string name, OverlapPolicy overlap)
    {
        var worker = await fresh.WorkAsync(Toys.Catalog(), slots: 2);
        await AddAsync(worker, name, MissedPolicy.Skip, overlap, Toys.Stage("door", "toy.door", new { name }));
        await worker.Schedules.TriggerAsync(name, Cancellation);
        await Door.Named(name).BegunAsync();
        return worker;
    }

    protected async Task SetBackAsync(string name, int days, int seconds = 0)
    {
        await using var db = Database.Create();
        var span = TimeSpan.FromDays(days) + TimeSpan.FromSeconds(seconds);
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.schedules SET last_fire = now() - {span}, next_fire = now() - {span} WHERE name = {name};
            SELECT pg_notify('pipelines_schedules', '')
            """, Cancellation);
    }

    protected static async Task UntilCaughtUpAsync(PipelinesEngine engine, string name)
    {
        while ((await engine.Schedules.FindAsync(name, Cancellation)).Next < TimeProvider.System.GetUtcNow())
            await Task.Delay(20, Cancellation);
    }

    protected static async Task<IReadOnlyList<FireView>> UntilAsync(
        PipelinesEngine engine, string name, Func<IReadOnlyList<FireView>, bool> met)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            var fires = await engine.Schedules.HistoryAsync(name, 100, limit.Token);
            if (met(fires))
                return fires;
            await Task.Delay(20, limit.Token);
        }
    }
}
