using System.Diagnostics;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine;

/// <summary>Workers that are told to leave while others stay.</summary>
public sealed class DrainTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    /// <summary>Sooner than a worker renews its lease, or looks for what nobody was woken for.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(4);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_finishes_what_it_runs_and_takes_nothing_more()
    {
        await using var asks = await database.OpenAsync(Toys.Catalog());
        await using var leaves = await database.WorkAsync(Toys.Catalog());
        var runs = await StartAsync(asks, Toys.Stage("door", "toy.door", new { name = "drained" }), Toys.Add("after", "door", "door"));
        await Door.Named("drained").BegunAsync();
        var self = Assert.Single(await asks.WorkersAsync(Cancellation));

        await asks.DrainAsync(self.Id, handBack: false, Cancellation);
        await leaves.Draining.WaitAsync(Cancellation);
        var draining = (await asks.WorkersAsync(Cancellation)).Single(worker => worker.Id == self.Id);
        Assert.False(leaves.Drained.IsCompleted);
        Door.Named("drained").Open();
        await leaves.Drained.WaitAsync(Cancellation);
        var left = (await asks.Runs.FindAsync(runs, Cancellation))!.Stages;
        await asks.WorkAsync(Cancellation);
        var run = await asks.WaitAsync(runs, Cancellation);

        Assert.Equal(WorkerState.Draining, draining.State);
        Assert.Equal((StageState.Succeeded, 1), (left[0].State, left[0].Attempt));
        Assert.Equal((StageState.Ready, "a worker that serves cpu"), (left[1].State, left[1].WaitsFor));
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.NotEqual(self.Id, run.Stages[1].Worker);
    }

    [Fact]
    public async Task A_worker_that_has_nothing_to_do_leaves_as_soon_as_it_is_told()
    {
        await using var asks = await database.OpenAsync(Toys.Catalog());
        await using var leaves = await database.WorkAsync(Toys.Catalog());
        var self = Assert.Single(await asks.WorkersAsync(Cancellation));
        var clock = Stopwatch.StartNew();

        await asks.DrainAsync(self.Id, handBack: false, Cancellation);
        await leaves.Drained.WaitAsync(Cancellation);

        TestContext.Current.SendDiagnosticMessage($"{clock.Elapsed.TotalMilliseconds:F0} ms");
        Assert.True(clock.Elapsed < Soon, $"{clock.Elapsed}");
    }

    [Fact]
    public async Task A_worker_that_is_told_to_leave_now_hands_its_stage_to_another()
    {
        await using var leaves = await database.WorkAsync(Toys.Catalog());
        var run = await StartAsync(leaves, Toys.Stage("door", "toy.door", new { name = "drained now" }));
        await Door.Named("drained now").BegunAsync();
        var self = Assert.Single(await leaves.WorkersAsync(Cancellation));
        await using var stays = await database.WorkAsync(Toys.Catalog());

        await stays.DrainAsync(self.Id, handBack: true, Cancellation);
        await leaves.Drained.WaitAsync(Cancellation);
        await Door.Named("drained now").BegunAsync();
        Door.Named("drained now").Open();
        var stage = (await stays.WaitAsync(run, Cancellation)).Stages[0];

        Assert.Equal((StageState.Succeeded, 2), (stage.State, stage.Attempt));
        Assert.NotEqual(self.Id, stage.Worker);
    }

    [Fact]
    public async Task What_a_leaving_worker_makes_ready_others_are_woken_for()
    {
        await using var leaves = await database.WorkAsync(Toys.Catalog(), slots: 2);
        var run = await StartAsync(
            leaves, Toys.Stage("door", "toy.door", new { name = "leaving" }), Toys.Add("after", "door", "door"),
            Toys.Stage("still", "toy.door", new { name = "still there" }));
        await Door.Named("leaving").BegunAsync();
        await Door.Named("still there").BegunAsync();
        var self = Assert.Single(await leaves.WorkersAsync(Cancellation));
        await using var stays = await database.WorkAsync(Toys.Catalog());
        await stays.DrainAsync(self.Id, handBack: false, Cancellation);
        await leaves.Draining.WaitAsync(Cancellation);

        var clock = Stopwatch.StartNew();
        Door.Named("leaving").Open();
        var after = After(await UntilAsync(stays, run, view => After(view).State == StageState.Succeeded));

        Assert.True(clock.Elapsed < Soon, $"{clock.Elapsed}");
        Assert.NotEqual(self.Id, after.Worker);
        Door.Named("still there").Open();
        Assert.Equal(RunState.Succeeded, (await stays.WaitAsync(run, Cancellation)).State);

        static StageView After(RunView view) => view.Stages.Single(stage => stage.Id == "after");
    }

    private static Task<Guid> StartAsync(PipelinesEngine engine, params StageDefinition[] stages) =>
        engine.StartRunAsync(Toys.Plan(stages), useCache: false, Cancellation);

    private static async Task<RunView> UntilAsync(PipelinesEngine engine, Guid run, Func<RunView, bool> condition)
    {
        while (true)
        {
            var view = (await engine.Runs.FindAsync(run, Cancellation))!;
            if (condition(view))
                return view;
            await engine.WaitForChangeAsync(run, TimeSpan.FromMilliseconds(100), Cancellation);
        }
    }
}
