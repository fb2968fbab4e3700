using Microsoft.EntityFrameworkCore;
using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Storage;

/// <summary>Leases, what happens when one lapses, and the checkpoints that the next attempt goes on from.</summary>
public sealed class LeaseTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private static readonly string[] Cpu = ["cpu"];
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private readonly List<Wake> wakes = [];
    private Database database = null!;
    private RunStore runs = null!;
    private CheckpointStore checkpoints = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await Database.OpenAsync(fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        runs = new RunStore(database, CommitAsync);
        checkpoints = new CheckpointStore(database);
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"TRUNCATE pipelines.runs, pipelines.workers CASCADE", Cancellation);
    }

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task A_lapsed_lease_gives_the_stage_to_another_and_what_the_first_still_brings_is_refused()
    {
        var run = await StartAsync();
        var zombie = await ClaimAsync("zombie", TimeSpan.Zero);
        wakes.Clear();

        Assert.Equal([zombie.Key], await Store(Long).RescueAsync(Cancellation));
        Assert.Equal([new Wake("cpu", run, 1)], wakes);
        Assert.False(await CompleteAsync(zombie));
        var other = await ClaimAsync("other", Long);
        Assert.False(await CompleteAsync(zombie));

        Assert.Equal((1, 2), (zombie.Attempt, other.Attempt));
        Assert.True(await CompleteAsync(other));
        Assert.Equal(["lost", "succeeded"], await OutcomesAsync(run));
    }

    [Fact]
    public async Task A_lease_that_holds_is_left_alone()
    {
        await StartAsync();
        await ClaimAsync("alive", Long);

        Assert.Empty(await Store(Long).RescueAsync(Cancellation));
    }

    [Fact]
    public async Task Renewing_moves_the_lease_on_and_tells_what_is_no_longer_held_or_wanted()
    {
        var worker = new WorkerRow { Id = "w", Host = "here", Pid = 1, Groups = Cpu, Slots = 2 };
        var run = await StartAsync(Toys.Number("a", 1), Toys.Number("b", 2));
        var (kept, taken) = (await ClaimAsync("w", TimeSpan.Zero), await ClaimAsync("w", TimeSpan.Zero));
        await Store(Long).HandBackAsync(taken, Cancellation);
        using var leases = new LeaseConnection(database, worker, Long);

        var renewal = leases.Renew([kept.Key, taken.Key]);

        Assert.Equal([kept.Key], renewal.Held);
        Assert.Empty(renewal.Cancelled);
        Assert.Empty(await Store(Long).RescueAsync(Cancellation));
        await runs.CancelAsync(run, Cancellation);
        Assert.Equal([run], leases.Renew([kept.Key]).Cancelled);
    }

    [Fact]
    public async Task Renewing_tells_a_worker_to_leave_and_it_counts_for_nothing_from_then_on()
    {
        var workers = new WorkerStore(database);
        var stays = new WorkerRow { Id = "stays", Host = "here", Pid = 1, Groups = Cpu, Slots = 2, SlotsByGroup = """{ "cpu": 2 }""" };
        var leaves = new WorkerRow
        {
            Id = "leaves",
            Host = "here",
            Pid = 2,
            Groups = ["cpu", "gpu"],
            Slots = 3,
            SlotsByGroup = """{ "cpu": 1, "gpu": 2 }""",
            Devices = ["cuda:0", "cuda:1"],
        };
        using var leases = new LeaseConnection(database, leaves, Long);
        await workers.JoinAsync(stays, Cancellation);
        await using var db = database.Create();

        Assert.Null(leases.Renew([]).Drain);
        Assert.Equal([("cpu", 3), ("gpu", 2)], await SlotsAsync());
        await workers.DrainAsync("leav", DrainOrder.Finish, Cancellation);
        Assert.Equal(DrainOrder.Finish, leases.Renew([]).Drain);
        Assert.Equal([("cpu", 2)], await SlotsAsync());
        await workers.DrainAsync("leav", DrainOrder.HandBack, Cancellation);
        await workers.DrainAsync("leav", DrainOrder.Finish, Cancellation);
        Assert.Equal(DrainOrder.HandBack, leases.Renew([]).Drain);
        Assert.Equal(["leaves: cuda:0,cuda:1", "stays: "], (await workers.ListAsync(Cancellation))
            .Select(worker => $"{worker.Id}: {string.Join(",", worker.Devices)}").Order());

        async Task<IEnumerable<(string, int)>> SlotsAsync() =>
            (await WorkerStore.SlotsAsync(db, Cancellation)).Select(group => (group.Key, group.Value)).Order();
    }

    [Fact]
    public async Task A_worker_that_is_to_leave_must_be_alive_and_be_named_so_that_no_other_is_meant()
    {
        var workers = new WorkerStore(database);
        foreach (var id in new[] { "box-1", "box-12", "old" })
            await workers.JoinAsync(new WorkerRow { Id = id, Host = "box", Pid = 1, Groups = Cpu, Slots = 1 }, Cancellation);
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"UPDATE pipelines.workers SET seen_at = now() - interval '1 minute' WHERE id = 'old'", Cancellation);

        Assert.Equal("box-1", (await workers.DrainAsync("box-1", DrainOrder.Finish, Cancellation)).Id);
        Assert.Equal("box-12", (await workers.DrainAsync("2", DrainOrder.Finish, Cancellation)).Id);
        Assert.Equal("the ids of several workers contain 'box': box-1, box-12", await RefusedAsync("box"));
        Assert.Equal("no worker's id contains 'bix'; pipelines workers lists them", await RefusedAsync("bix"));
        Assert.Contains("worker old is dead: it was last seen 6", await RefusedAsync("old"));

        async Task<string> RefusedAsync(string text) => (await Assert.ThrowsAsync<WorkerLookupException>(
            () => workers.DrainAsync(text, DrainOrder.Finish, Cancellation))).Message;
    }

    [Fact]
    public async Task A_claim_whose_answer_got_lost_lapses_although_its_worker_lives()
    {
        await StartAsync();
        var unheard = await ClaimAsync("w", TimeSpan.Zero);
        using var leases = new LeaseConnection(
            database, new WorkerRow { Id = "w", Host = "here", Pid = 1, Groups = Cpu, Slots = 1 }, Long);

        leases.Renew([]);

        Assert.Equal([unheard.Key], await Store(Long).RescueAsync(Cancellation));
    }

    [Fact]
    public async Task A_stage_that_kills_its_workers_fails_and_takes_nothing_else_down()
    {
        var run = await StartAsync(
            Toys.Stage("poison", "toy.number", new { value = 1 }) with { Retry = new RetryDefinition(Crashes: 2) },
            Toys.Add("below", "poison", "poison"));

        await DieAsync("first");
        Assert.Equal(StageState.Ready, await StateAsync(run));
        await DieAsync("second");

        var view = (await runs.FindAsync(run, Cancellation))!;
        Assert.Equal(RunState.Failed, view.State);
        Assert.Equal([StageState.Failed, StageState.Blocked], view.Stages.Select(stage => stage.State));
        Assert.Contains("2 workers in a row died while they ran it (the last was second)", view.Stages[0].Error);
    }

    [Fact]
    public async Task A_worker_that_got_further_before_it_died_begins_the_count_of_crashes_anew()
    {
        var run = await StartAsync(Toys.Stage("long", "toy.number", new { value = 1 }) with { Retry = new RetryDefinition(Crashes: 2) });
        for (var step = 1; step <= 5; step++)
        {
            var claim = await ClaimAsync($"w{step}", TimeSpan.Zero);
            await checkpoints.SaveAsync(claim.Key, "key", step, Hash(step), Cancellation);
            await Store(Long).RescueAsync(Cancellation);
            Assert.Equal(StageState.Ready, await StateAsync(run));
        }

        await DieAsync("without a step");

        Assert.Equal(StageState.Failed, await StateAsync(run));
    }

    [Fact]
    public async Task What_failed_is_tried_again_after_a_pause_that_doubles()
    {
        await StartAsync(Toys.Stage("flaky", "toy.number", new { value = 1 }) with { Retry = new RetryDefinition(4, Backoff: 40) });
        foreach (var pause in new[] { 40, 80, 160 })
        {
            wakes.Clear();
            var claim = await ClaimAsync("w", Long);
            Assert.True(await Store(Long).FailAsync(claim, "not yet", null, Cancellation));

            Assert.InRange(Assert.Single(wakes).After!.Value.TotalSeconds, pause - 1, pause + 1);
            Assert.Null(await Store(Long).ClaimAsync("w", Cpu, "cpu", null, Cancellation));
            await using var db = database.Create();
            await db.Database.ExecuteSqlAsync($"UPDATE pipelines.stages SET ready_at = now() - interval '1 second'", Cancellation);
        }
    }

    [Fact]
    public async Task A_checkpoint_is_for_the_same_work_and_the_next_takes_its_place()
    {
        await StartAsync();
        var claim = await ClaimAsync("w", Long);

        Assert.Equal([], await checkpoints.SaveAsync(claim.Key, "key", 10, Hash(1), Cancellation));
        Assert.Equal([Hash(1)], await checkpoints.SaveAsync(claim.Key, "key", 20, Hash(2), Cancellation));

        Assert.Equal((20, Hash(2)), await checkpoints.FindAsync(claim.Key, "key", Cancellation));
        Assert.Null(await checkpoints.FindAsync(claim.Key, "other parameters", Cancellation));
        Assert.Equal([Hash(2)], await checkpoints.ForgetAsync(claim.Run, [claim.Stage], Cancellation));
        Assert.Null(await checkpoints.FindAsync(claim.Key, "key", Cancellation));
    }

    [Fact]
    public async Task An_attempt_that_was_overtaken_saves_no_checkpoint()
    {
        await StartAsync();
        var zombie = await ClaimAsync("zombie", TimeSpan.Zero);
        await Store(Long).RescueAsync(Cancellation);
        var other = await ClaimAsync("other", Long);
        await checkpoints.SaveAsync(other.Key, "key", 30, Hash(3), Cancellation);

        Assert.Null(await checkpoints.SaveAsync(zombie.Key, "key", 20, Hash(2), Cancellation));

        Assert.Equal((30, Hash(3)), await checkpoints.FindAsync(other.Key, "key", Cancellation));
    }

    [Fact]
    public async Task A_checkpoint_that_two_stages_share_outlives_the_first_of_them()
    {
        await StartAsync(Toys.Number("a", 1), Toys.Number("b", 1));
        var (a, b) = (await ClaimAsync("w", Long), await ClaimAsync("w", Long));
        await checkpoints.SaveAsync(a.Key, "key", 1, Hash(1), Cancellation);
        await checkpoints.SaveAsync(b.Key, "key", 1, Hash(1), Cancellation);

        Assert.Empty(await checkpoints.ForgetAsync(a.Run, [a.Stage], Cancellation));
        Assert.Equal([Hash(1)], await checkpoints.ForgetAsync(b.Run, [b.Stage], Cancellation));
    }

    private static string Hash(int number) => $"sha256:{number:x64}";

    private Task<Guid> StartAsync(params StageDefinition[] stages) =>
        runs.StartAsync(Toys.Plan(stages is [] ? [Toys.Number("only", 1)] : stages), useCache: false, Cancellation);

    private async Task<StageClaim> ClaimAsync(string worker, TimeSpan lease) =>
        (await Store(lease).ClaimAsync(worker, Cpu, "cpu", null, Cancellation))!;

    private async Task DieAsync(string worker)
    {
        await ClaimAsync(worker, TimeSpan.Zero);
        await Store(Long).RescueAsync(Cancellation);
    }

    private async Task<StageState> StateAsync(Guid run) => (await runs.FindAsync(run, Cancellation))!.Stages[0].State;

    private async Task<string[]> OutcomesAsync(Guid run)
    {
        await using var db = database.Create();
        return await db.Database.SqlQuery<string>($"SELECT outcome AS \"Value\" FROM pipelines.attempts WHERE run_id = {run} ORDER BY attempt")
            .ToArrayAsync(Cancellation);
    }

    private Task<bool> CompleteAsync(StageClaim claim) => Store(Long).CompleteAsync(
        claim, new StageResult(Json.Write(new { value = 1.0 }), Toys.Key(Guid.NewGuid().ToString()), Reused: false, null), Cancellation);

    private StageStore Store(TimeSpan lease) => new(database, CommitAsync, lease);

    private Task CommitAsync(PipelinesDb db, IReadOnlyList<Wake> wanted, CancellationToken cancellation)
    {
        wakes.AddRange(wanted);
        return db.Database.CommitTransactionAsync(cancellation);
    }
}
