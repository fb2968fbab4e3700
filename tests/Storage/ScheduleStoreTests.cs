using Microsoft.EntityFrameworkCore;
using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Storage;

public sealed class ScheduleStoreTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset Time = new(2026, 11, 2, 1, 0, 0, TimeSpan.Zero);
    private static readonly Plan Plan = Toys.Plan(Toys.Number("only", 1));

    private Database database = null!;
    private ScheduleStore schedules = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await Database.OpenAsync(fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        schedules = new ScheduleStore(database, CommitAsync);
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"TRUNCATE pipelines.runs, pipelines.schedules CASCADE", Cancellation);
    }

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task Twenty_who_start_the_run_of_one_time_start_one_even_without_the_lock()
    {
        await schedules.AddAsync(Row("nightly"), Cancellation);

        var started = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            var db = database.Create();
            var transaction = await db.Database.BeginTransactionAsync(Cancellation);
            await using var turn = new ScheduleTurn(db, CommitAsync, transaction, Row("nightly"), Time);
            if (!await turn.NoteAsync(Time, false, FireOutcome.Started, null, Cancellation))
                return false;
            await turn.StartAsync(Time, Plan, Cancellation);
            await turn.CommitAsync(Time, null, Cancellation);
            return true;
        }));

        Assert.Single(started, true);
        Assert.Equal(1, await CountRunsAsync());
    }

    [Fact]
    public async Task Twenty_who_look_at_once_take_each_due_schedule_once()
    {
        for (var i = 0; i < 5; i++)
            await schedules.AddAsync(Row($"nightly-{i}"), Cancellation);

        var taken = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            var names = new List<string>();
            while (await schedules.TakeDueAsync(names, Cancellation) is { } turn)
            {
                await using (turn)
                {
                    names.Add(turn.Row.Name);
                    Assert.True(await turn.NoteAsync(Time, false, FireOutcome.Started, null, Cancellation));
                    await turn.StartAsync(Time, Plan, Cancellation);
                    await turn.CommitAsync(Time, Time.AddYears(50), Cancellation);
                }
            }

            return names;
        }));

        Assert.Equal(5, taken.Sum(names => names.Count));
        Assert.Equal(5, await CountRunsAsync());
    }

    [Fact]
    public async Task A_turn_that_is_not_committed_leaves_nothing()
    {
        await schedules.AddAsync(Row("nightly"), Cancellation);
        await using (var turn = await schedules.TakeAsync("nightly", Cancellation))
        {
            await turn!.NoteAsync(Time, false, FireOutcome.Started, null, Cancellation);
            await turn.StartAsync(Time, Plan, Cancellation);
        }

        Assert.Equal(0, await CountRunsAsync());
        await using var again = await schedules.TakeAsync("nightly", Cancellation);
        Assert.True(await again!.NoteAsync(Time, false, FireOutcome.Started, null, Cancellation));
    }

    [Fact]
    public async Task A_locked_schedule_is_passed_over_and_a_paused_one_is_not_due()
    {
        await schedules.AddAsync(Row("locked"), Cancellation);
        await schedules.AddAsync(Row("paused"), Cancellation);
        await schedules.AddAsync(Row("later", Time.AddYears(50)), Cancellation);
        await schedules.PauseAsync("paused", null, Cancellation);
        await using var held = await schedules.TakeDueAsync([], Cancellation);

        Assert.Equal("locked", held?.Row.Name);
        Assert.Null(await schedules.TakeDueAsync([], Cancellation));
    }

    [Fact]
    public async Task One_time_waits_at_most()
    {
        await schedules.AddAsync(Row("nightly"), Cancellation);
        await using var turn = await schedules.TakeAsync("nightly", Cancellation);
        await turn!.NoteAsync(Time, false, FireOutcome.Queued, null, Cancellation);

        await Assert.ThrowsAnyAsync<Exception>(
            () => turn.NoteAsync(Time.AddDays(1), false, FireOutcome.Queued, null, Cancellation));
    }

    private static ScheduleRow Row(string name, DateTimeOffset? next = null) => new()
    {
        Name = name,
        Cron = "0 2 * * *",
        Zone = "Europe/Berlin",
        Missed = MissedPolicy.Skip,
        Overlap = OverlapPolicy.Skip,
        Definition = Json.Write(Plan.Definition).GetRawText(),
        Parameters = "{}",
        LastFire = Time.AddDays(-1),
        NextFire = next ?? Time.AddYears(-1),
    };

    private async Task<int> CountRunsAsync()
    {
        await using var db = database.Create();
        return await db.Runs.CountAsync(Cancellation);
    }

    // Nobody is to be woken here.
    private static Task CommitAsync(PipelinesDb db, IReadOnlyList<Wake> wakes, CancellationToken cancellation) =>
        db.Database.CommitTransactionAsync(cancellation);
}
