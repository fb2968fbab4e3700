using Npgsql;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine;

/// <summary>Which stage is given which device. The stages compute nothing, so the names of GPUs stand for GPUs.</summary>
public sealed class DevicesTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_of_two_stages_at_once_is_given_a_gpu_of_its_own()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog(), 0, "cuda:0", "cuda:3");
        var id = await StartAsync(engine, Closed("left", gpu: 1), Closed("right", gpu: 1));
        await BegunAsync("left", "right");

        var worker = await SelfAsync(engine);
        Open("left", "right");
        await SucceedsAsync(engine, id);

        Assert.Equal(["cuda:0", "cuda:3"], worker.Stages.Select(stage => stage.Device).Order());
        Assert.Equal(["cuda:0", "cuda:3"], await DevicesAsync(id));
    }

    [Fact]
    public async Task No_device_has_more_stages_at_once_than_it_has_slots_however_many_wait()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog(), 3, "cuda:0", "cuda:1");

        var id = await StartAsync(engine, [.. Enumerable.Range(0, 80).Select(i => Toys.Stage($"use-{i}", "toy.use-device", gpu: i % 2))]);
        await SucceedsAsync(engine, id);

        Assert.Equal(["cpu", "cuda:0", "cuda:1"], (await DevicesAsync(id)).Distinct());
        Assert.Equal((1, 1), (UseDevice.MostAtOnce["cuda:0"], UseDevice.MostAtOnce["cuda:1"]));
        Assert.InRange(UseDevice.MostAtOnce["cpu"], 1, 3);
    }

    [Fact]
    public async Task Each_group_has_its_slots_and_lends_none_to_the_other()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog(), 1, "cuda:0", "cuda:1");
        var id = await StartAsync(
            engine, Closed("cpu 1"), Closed("cpu 2"), Closed("gpu 1", gpu: 1), Closed("gpu 2", gpu: 1), Closed("gpu 3", gpu: 1));
        await BegunAsync("cpu 1", "gpu 1", "gpu 2");

        // All that it could claim by now it has: a further wake finds no slot.
        var run = (await engine.Runs.FindAsync(id, Cancellation))!;
        var worker = await SelfAsync(engine);
        Open("cpu 1", "gpu 1", "gpu 2");
        await BegunAsync("cpu 2", "gpu 3");
        Open("cpu 2", "gpu 3");
        await SucceedsAsync(engine, id);

        Assert.Equal(["cpu-2", "gpu-3"], run.Stages.Where(stage => stage.State == StageState.Ready).Select(stage => stage.Id));
        Assert.Equal(["cpu", "cuda:0", "cuda:1"], worker.Stages.Select(stage => stage.Device).Order());
        Assert.Equal(["cpu", "cpu"], (await DevicesAsync(id)).Take(2));
    }

    [Fact]
    public async Task A_stage_that_asks_for_no_gpu_runs_on_the_cpu_of_a_worker_that_has_one()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog(), 1, "cuda:0");

        var id = await StartAsync(engine, Toys.Stage("who", "toy.who-am-i"));

        var run = await SucceedsAsync(engine, id);
        Assert.Equal("cpu", run.Stages[0].Outputs!.Value.GetProperty("device").GetString());
    }

    [Fact]
    public async Task A_worker_without_a_gpu_leaves_gpu_work_to_the_worker_that_comes_with_one()
    {
        await using var cpu = await database.WorkAsync(Toys.Catalog(), slots: 4);
        var plan = Toys.Plan(Toys.Number("before", 1), Toys.Stage("needs", "toy.who-am-i", gpu: 1));
        // As a schedule does, which asks nobody who is up.
        var id = await cpu.Runs.StartAsync(plan, useCache: false, Cancellation);
        RunView waiting;
        do
        {
            await cpu.WaitForChangeAsync(id, TimeSpan.FromSeconds(1), Cancellation);
            waiting = (await cpu.Runs.FindAsync(id, Cancellation))!;
        }
        while (waiting.Stages[0].State != StageState.Succeeded);

        await using var gpu = await database.WorkAsync(Toys.Catalog(), 0, "cuda:0");
        var run = await SucceedsAsync(cpu, id);

        Assert.Equal((StageState.Ready, "a worker that serves gpu"), (waiting.Stages[1].State, waiting.Stages[1].WaitsFor));
        Assert.NotEqual(run.Stages[0].Worker, run.Stages[1].Worker);
        Assert.Equal(["cpu", "cuda:0"], await DevicesAsync(id));
    }

    [Fact]
    public async Task A_wake_does_not_stay_with_a_worker_whose_slots_of_that_group_are_taken()
    {
        await using var busy = await database.WorkAsync(Toys.Catalog(), 1, "cuda:0", "cuda:1");
        var first = await StartAsync(busy, Closed("busy"));
        await BegunAsync("busy");
        await using var free = await database.WorkAsync(Toys.Catalog(), slots: 1);

        // The busy one has idle slots too, but not for these: it must leave their wakes to the other.
        for (var i = 0; i < 10; i++)
        {
            var run = await SucceedsAsync(free, await StartAsync(busy, Toys.Number("quick", i)));
            Assert.NotEqual((await busy.Runs.FindAsync(first, Cancellation))!.Stages[0].Worker, run.Stages[0].Worker);
            // Sooner than stages are found that nobody was woken for.
            Assert.True((run.Finished - run.Created)!.Value < TimeSpan.FromSeconds(5), $"{run.Finished - run.Created}");
        }

        Open("busy");
        await SucceedsAsync(busy, first);
    }

    private static StageDefinition Closed(string name, int gpu = 0) =>
        Toys.Stage(name.Replace(' ', '-'), "toy.door", new { name = $"devices {name}" }, gpu: gpu);

    private static async Task BegunAsync(params string[] names)
    {
        foreach (var name in names)
            await Door.Named($"devices {name}").BegunAsync();
    }

    private static void Open(params string[] names)
    {
        foreach (var name in names)
            Door.Named($"devices {name}").Open();
    }

    private static Task<Guid> StartAsync(PipelinesEngine engine, params StageDefinition[] stages) =>
        engine.StartRunAsync(Toys.Plan(stages), useCache: false, Cancellation);

    private static async Task<RunView> SucceedsAsync(PipelinesEngine engine, Guid id)
    {
        var run = await engine.WaitAsync(id, Cancellation);
        Assert.Equal(RunState.Succeeded, run.State);
        return run;
    }

    private static async Task<WorkerView> SelfAsync(PipelinesEngine engine) =>
        (await engine.WorkersAsync(Cancellation)).Single(worker => worker.State == WorkerState.Working);

    /// <summary>What the history of the run names, which the stages' rows must say too.</summary>
    private async Task<string[]> DevicesAsync(Guid run)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand("""
            SELECT array_agg(a.device ORDER BY a.device) FROM pipelines.attempts a
            JOIN pipelines.stages s ON s.run_id = a.run_id AND s.id = a.stage AND s.device = a.device WHERE a.run_id = @run
            """);
        command.Parameters.AddWithValue("run", run);
        return (string[])(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
