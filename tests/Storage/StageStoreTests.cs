using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Storage;

public sealed class StageStoreTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private static readonly string[] Cpu = ["cpu"];

    private Database database = null!;
    private RunStore runs = null!;
    private StageStore stages = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await Database.OpenAsync(fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        // Nobody is to be woken here.
        CommitAndWake commit = (db, _, cancellation) => db.Database.CommitTransactionAsync(cancellation);
        runs = new RunStore(database, commit);
        stages = new StageStore(database, commit, TimeSpan.FromSeconds(30));
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"TRUNCATE pipelines.runs, pipelines.workers CASCADE", Cancellation);
    }

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task Sixteen_claim_one_stage_and_one_gets_it()
    {
        for (var round = 0; round < 20; round++)
        {
            await runs.StartAsync(Toys.Plan(Toys.Number("only", round)), useCache: false, Cancellation);

            var claims = await Task.WhenAll(Enumerable.Range(0, 16).Select(
                i => stages.ClaimAsync($"worker {i}", Cpu, "cpu", null, Cancellation)));

            Assert.Single(claims, claim => claim is not null);
        }
    }

    [Fact]
    public async Task Claims_only_what_its_worker_serves_first_of_the_same_run_then_the_oldest()
    {
        var old = await runs.StartAsync(
            Toys.Plan(Toys.Stage("gpu", "toy.who-am-i", gpu: 1), Toys.Number("a", 1), Toys.Number("b", 1)), false, Cancellation);
        var young = await runs.StartAsync(Toys.Plan(Toys.Number("c", 1), Toys.Number("d", 1)), false, Cancellation);

        Assert.Equal((young, "c"), await ClaimedAsync("w", Cpu, young));
        Assert.Equal((old, "a"), await ClaimedAsync("w", Cpu, null));
        Assert.Equal((young, "d"), await ClaimedAsync("w", Cpu, young));
        Assert.Equal((old, "b"), await ClaimedAsync("w", Cpu, young));
        Assert.Null(await stages.ClaimAsync("w", Cpu, "cpu", young, Cancellation));
        Assert.Equal((old, "gpu"), await ClaimedAsync("w", ["cpu", "gpu"], young));
    }

    [Fact]
    public async Task A_stage_that_joins_two_feeders_that_end_together_is_never_left_asleep()
    {
        for (var round = 0; round < 100; round++)
        {
            await runs.StartAsync(
                Toys.Plan(Toys.Number("a", 1), Toys.Number("b", 2), Toys.Add("sum", "a", "b")), useCache: false, Cancellation);
            var one = await stages.ClaimAsync("one", Cpu, "cpu", null, Cancellation);
            var two = await stages.ClaimAsync("two", Cpu, "cpu", null, Cancellation);

            Assert.All(await Task.WhenAll(CompleteAsync(one!), CompleteAsync(two!)), Assert.True);

            var sum = await stages.ClaimAsync("one", Cpu, "cpu", null, Cancellation);
            Assert.Equal("sum", sum?.Stage);
            Assert.True(await CompleteAsync(sum!));
        }
    }

    [Fact]
    public async Task An_attempt_that_was_overtaken_changes_nothing()
    {
        var run = await runs.StartAsync(Toys.Plan(Toys.Number("only", 1)), useCache: false, Cancellation);
        var stale = (await stages.ClaimAsync("stalled", Cpu, "cpu", null, Cancellation))!;
        await stages.HandBackAsync(stale, Cancellation); // as whoever finds its worker dead would do
        var current = (await stages.ClaimAsync("other", Cpu, "cpu", null, Cancellation))!;

        Assert.Equal((1, 2), (stale.Attempt, current.Attempt));
        Assert.False(await CompleteAsync(stale));
        Assert.False(await stages.FailAsync(stale, "late", null, Cancellation));
        Assert.False(await stages.CancelAsync(stale, Cancellation));
        Assert.Equal(StageState.Running, (await runs.FindAsync(run, Cancellation))!.Stages[0].State);
        Assert.True(await CompleteAsync(current));
    }

    [Fact]
    public async Task Recording_the_same_end_twice_is_no_error_and_changes_nothing()
    {
        await runs.StartAsync(Toys.Plan(Toys.Number("a", 1), Toys.Number("b", 1), Toys.Add("sum", "a", "b")), false, Cancellation);
        var claim = (await stages.ClaimAsync("w", Cpu, "cpu", null, Cancellation))!;

        Assert.True(await CompleteAsync(claim));
        Assert.True(await CompleteAsync(claim));

        Assert.Equal("b", (await stages.ClaimAsync("w", Cpu, "cpu", null, Cancellation))?.Stage);
        Assert.Null(await stages.ClaimAsync("w", Cpu, "cpu", null, Cancellation));
    }

    [Fact]
    public async Task A_stage_of_a_dead_worker_is_resumed_and_one_of_a_live_worker_is_not()
    {
        var run = await runs.StartAsync(Toys.Plan(Toys.Number("dead", 1), Toys.Number("alive", 2)), false, Cancellation);
        await Dying().ClaimAsync("dead", Cpu, "cpu", null, Cancellation);
        await stages.ClaimAsync("alive", Cpu, "cpu", null, Cancellation);

        await runs.ResetAsync(run, new ResetRequest(), Cancellation);

        var view = (await runs.FindAsync(run, Cancellation))!;
        Assert.Equal([StageState.Ready, StageState.Running], view.Stages.Select(stage => stage.State));
        var error = await Assert.ThrowsAsync<RunStateException>(() => runs.ResetAsync(run, new ResetRequest(), Cancellation));
        Assert.Equal($"run {run} is running: wait for it to end, or cancel it", error.Message);
    }

    [Fact]
    public async Task Ten_thousand_stages_start_and_are_claimed_without_delay()
    {
        var plan = Toys.Plan([.. Enumerable.Range(0, 10_000).Select(i => Toys.Number($"n{i}", i))]);
        var start = Stopwatch.StartNew();
        await runs.StartAsync(plan, useCache: false, Cancellation);
        start.Stop();

        var claim = Stopwatch.StartNew();
        Guid? run = null;
        for (var i = 0; i < 200; i++)
            run = (await stages.ClaimAsync("w", Cpu, "cpu", run, Cancellation))!.Run;

        TestContext.Current.SendDiagnosticMessage(
            $"10,000 stages started in {start.ElapsedMilliseconds} ms; {200 / claim.Elapsed.TotalSeconds:F0} claims a second");
        Assert.True(claim.Elapsed < TimeSpan.FromSeconds(30), $"{claim.Elapsed}");
    }

    /// <summary>Whose leases have lapsed as soon as they are given.</summary>
    private StageStore Dying() => new(database, (db, _, cancellation) => db.Database.CommitTransactionAsync(cancellation), TimeSpan.Zero);

    private async Task<(Guid Run, string Stage)> ClaimedAsync(string worker, string[] groups, Guid? last)
    {
        var claim = (await stages.ClaimAsync(worker, groups, "cpu", last, Cancellation))!;
        return (claim.Run, claim.Stage);
    }

    private Task<bool> CompleteAsync(StageClaim claim) => stages.CompleteAsync(
        claim, new StageResult(Json.Write(new { value = 1.0 }), Toys.Key(Guid.NewGuid().ToString()), Reused: false, null), Cancellation);
}
