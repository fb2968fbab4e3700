using Microsoft.EntityFrameworkCore;
using Npgsql;
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
    public async Task A_run_that_ends_while_something_is_made_to_wait_for_it_leaves_it_startable()
    {
        await schedules.AddAsync(Row("nightly", Time.AddYears(50)), Cancellation);
        var stages = new StageStore(database, CommitAsync, TimeSpan.FromMinutes(5));
        await using (var first = await schedules.TakeAsync("nightly", Cancellation))
        {
            await first!.NoteAsync(Time, false, FireOutcome.Started, null, Cancellation);
            await first.StartAsync(Time, Plan, Cancellation);
            await first.CommitAsync(Time, Time.AddYears(50), Cancellation);
        }

        var claim = (await stages.ClaimAsync("worker", ["cpu"], "cpu", null, Cancellation))!;
        await using var turn = await schedules.TakeAsync("nightly", Cancellation);
        Assert.Equal([claim.Run], await turn!.RunningAsync(Cancellation));
        var ending = stages.CompleteAsync(
            claim, new StageResult(Json.Write(new { value = 1.0 }), Toys.Key(Guid.NewGuid().ToString()), Reused: false, null), Cancellation);
        await fresh.UntilBlockedAsync(Cancellation);
        Assert.False(ending.IsCompleted);
        await turn.NoteAsync(Time.AddDays(1), false, FireOutcome.Queued, null, Cancellation);
        await turn.CommitAsync(Time.AddDays(1), Time.AddYears(50), Cancellation);

        Assert.True(await ending);

        await using var due = await schedules.TakeDueAsync([], Cancellation);
        Assert.Equal(Time.AddDays(1), await due!.QueuedAsync(Cancellation));
    }

    [Fact]
    public async Task The_end_of_a_scheduled_run_is_announced()
    {
        await schedules.AddAsync(Row("nightly", Time.AddYears(50)), Cancellation);
        await using (var turn = await schedules.TakeAsync("nightly", Cancellation))
        {
            await turn!.NoteAsync(Time, false, FireOutcome.Started, null, Cancellation);
            await turn.StartAsync(Time, Plan, Cancellation);
            await turn.CommitAsync(Time, Time.AddYears(50), Cancellation);
        }

        var stages = new StageStore(database, CommitAsync, TimeSpan.FromMinutes(5));
        var claim = (await stages.ClaimAsync("worker", ["cpu"], "cpu", null, Cancellation))!;
        await using var connection = await database.Source.OpenConnectionAsync(Cancellation);
        await using var listen = new NpgsqlCommand($"LISTEN {Channels.Schedules}", connection);
        await listen.ExecuteNonQueryAsync(Cancellation);

        await stages.CompleteAsync(
            claim, new StageResult(Json.Write(new { value = 1.0 }), Toys.Key(Guid.NewGuid().ToString()), Reused: false, null), Cancellation);

        Assert.True(await connection.WaitAsync(TimeSpan.FromSeconds(10), Cancellation));
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
