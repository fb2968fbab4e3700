using System.Diagnostics;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Engine;

public sealed class SharingTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_workers_share_the_stages_of_a_run()
    {
        await using var one = await database.WorkAsync(Toys.Catalog());
        await using var two = await database.WorkAsync(Toys.Catalog());
        // Neither can run both doors, so the run only ends if each takes one.
        var plan = Toys.Plan(
            Toys.Stage("left", "toy.door", new { name = "left" }), Toys.Stage("right", "toy.door", new { name = "right" }));

        var id = await one.StartRunAsync(plan, useCache: false, Cancellation);
        await Door.Named("left").BegunAsync();
        await Door.Named("right").BegunAsync();
        Door.Named("left").Open();
        Door.Named("right").Open();
        var run = await two.WaitAsync(id, Cancellation);

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(2, run.Stages.Select(stage => stage.Worker).Distinct().Count());
    }

    [Fact]
    public async Task A_worker_that_comes_later_takes_what_is_ready()
    {
        await using var starter = await database.OpenAsync(Toys.Catalog());
        var id = await starter.StartRunAsync(
            Toys.Plan([.. Enumerable.Range(0, 20).Select(i => Toys.Number($"n{i}", i))]), useCache: false, Cancellation);

        await using var worker = await database.WorkAsync(Toys.Catalog(), slots: 2);

        Assert.Equal(RunState.Succeeded, (await starter.WaitAsync(id, Cancellation)).State);
    }

    [Fact]
    public async Task A_worker_that_leaves_hands_its_stage_to_another()
    {
        var door = Door.Named("handed");
        await using var stays = await database.OpenAsync(Toys.Catalog());
        var leaves = await database.WorkAsync(Toys.Catalog());
        var id = await stays.StartRunAsync(
            Toys.Plan(Toys.Stage("door", "toy.door", new { name = "handed" })), useCache: false, Cancellation);
        await door.BegunAsync();

        await leaves.DisposeAsync();
        var between = (await stays.Runs.FindAsync(id, Cancellation))!.Stages[0];
        await stays.WorkAsync(Cancellation);
        await door.BegunAsync();
        door.Open();
        var run = await stays.WaitAsync(id, Cancellation);

        Assert.Equal(StageState.Ready, between.State);
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(2, run.Stages[0].Attempt);
        Assert.NotEqual(between.Worker, run.Stages[0].Worker);
    }

    [Fact]
    public async Task A_chain_of_stages_costs_little_beside_its_stages()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var stages = Enumerable.Range(1, 39).Select(i => Toys.Add($"s{i}", $"s{i - 1}", $"s{i - 1}"));
        var plan = Toys.Plan([Toys.Number("s0", 0), .. stages]);
        await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);

        var clock = Stopwatch.StartNew();
        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);

        TestContext.Current.SendDiagnosticMessage($"{clock.Elapsed.TotalMilliseconds / 40:F1} ms per stage");
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"{clock.Elapsed}");
    }

    [Fact]
    public async Task A_fan_of_a_thousand_stages_runs_and_is_joined()
    {
        await using var one = await database.WorkAsync(Toys.Catalog(), slots: 2);
        await using var two = await database.WorkAsync(Toys.Catalog(), slots: 2);
        var plan = Toys.Plan(
            [
                Toys.Number("root", 1),
                .. Enumerable.Range(0, 500).Select(i => Toys.Add($"leaf{i}", "root", "root")),
                .. Enumerable.Range(0, 250).Select(i => Toys.Add($"pair{i}", $"leaf{2 * i}", $"leaf{(2 * i) + 1}")),
            ]);

        var clock = Stopwatch.StartNew();
        var run = await one.WaitAsync(await one.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);

        TestContext.Current.SendDiagnosticMessage($"{751 / clock.Elapsed.TotalSeconds:F0} stages a second");
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(2, run.Stages.Select(stage => stage.Worker).Distinct().Count());
    }
}
