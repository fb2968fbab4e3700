using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Engine;

public sealed class RunTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Runs_a_graph_and_gives_its_outputs()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.PlanFor(
            new() { ["sum"] = "sum.value" },
            Toys.Number("a", 1.5), Toys.Number("b", 2.25), Toys.Add("sum", "a", "b"));

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(3.75, run.Outputs["sum"].GetDouble());
        Assert.All(run.Stages, stage => Assert.Equal(1, stage.Attempt));
        Assert.All(run.Stages, stage => Assert.True(stage.Seconds is >= 0 and < 30));
        Assert.NotNull(run.Finished);
        Assert.Equal(run.Id, (await engine.Runs.FindAsync("last", Cancellation)).Id);
        Assert.Equal(run.Id, (await engine.Runs.FindAsync(run.Id.ToString()[^8..], Cancellation)).Id);
    }

    [Fact]
    public async Task Blocks_only_what_is_below_a_failure_and_finishes_the_rest()
    {
        FailTimes.Left["broken"] = 1000;
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(
            Toys.Number("a", 1),
            Toys.Stage("broken", "toy.fail-times", new { counter = "broken" }, new() { ["value"] = "a.value" }),
            Toys.Add("below", "broken", "a"), Toys.Add("further", "below", "below"),
            Toys.Add("beside", "a", "a"), Toys.Add("besides", "beside", "a"));

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);

        Assert.Equal(RunState.Failed, run.State);
        Assert.Equal(
            [
                ("a", StageState.Succeeded), ("beside", StageState.Succeeded), ("besides", StageState.Succeeded),
                ("broken", StageState.Failed), ("below", StageState.Blocked), ("further", StageState.Blocked),
            ],
            run.Stages.OrderBy(stage => stage.State).ThenBy(stage => stage.Id is "further")
                .Select(stage => (stage.Id, stage.State)));
        Assert.Equal("the counter is at 999", run.Stages.Single(stage => stage.Id == "broken").Error);
    }

    [Fact]
    public async Task Names_the_type_of_an_exception_that_no_activity_meant_for_its_user()
    {
        FailTimes.Left["bug"] = 1;
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(Toys.Stage("bug", "toy.fail-times", new { counter = "bug", crash = true }));

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);

        Assert.Equal("InvalidOperationException: a bug", run.Stages[0].Error);
    }

    [Fact]
    public async Task Tries_a_stage_as_often_as_it_says()
    {
        FailTimes.Left["flaky"] = 2;
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(Toys.Stage("flaky", "toy.fail-times", new { counter = "flaky" }, attempts: 3));

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(3, run.Stages[0].Attempt);
        Assert.Null(run.Stages[0].Error);
    }

    [Fact]
    public async Task Resumes_at_the_failed_stage_and_keeps_the_rest()
    {
        FailTimes.Left["resumed"] = 2;
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(
            Toys.Stage("first", "toy.fail-times", new { counter = "kept" }),
            Toys.Stage("broken", "toy.fail-times", new { counter = "resumed" }, new() { ["value"] = "first.value" }, attempts: 2),
            Toys.Add("last", "broken", "first"));
        var id = await engine.StartRunAsync(plan, useCache: false, Cancellation);
        Assert.Equal(RunState.Failed, (await engine.WaitAsync(id, Cancellation)).State);

        var summary = await engine.ResetRunAsync(id, new RunAgain(), Cancellation);
        var run = await engine.WaitAsync(id, Cancellation);

        Assert.Equal(["broken", "last"], summary.WillRun);
        Assert.Equal(["first"], summary.Kept);
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(1, FailTimes.Computed["kept"]);
        Assert.Equal(3, run.Stages.Single(stage => stage.Id == "broken").Attempt);
        var error = await Assert.ThrowsAsync<EngineException>(() => engine.ResetRunAsync(id, new RunAgain(), Cancellation));
        Assert.Contains("has succeeded", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gives_a_stage_its_device_and_an_empty_folder_that_goes_with_it()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog(), slots: 2, "cuda:0");
        var plan = Toys.Plan(Toys.Stage("who", "toy.who-am-i", gpu: 1));

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);

        var outputs = run.Stages[0].Outputs!.Value;
        Assert.Equal("cuda:0", outputs.GetProperty("device").GetString());
        Assert.True(outputs.GetProperty("scratchIsEmpty").GetBoolean());
        Assert.False(Directory.Exists(outputs.GetProperty("scratch").GetString()));
    }

    [Fact]
    public async Task Refuses_a_stage_that_no_live_worker_can_run()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(Toys.Stage("prune", "toy.who-am-i", gpu: 1));

        var error = await Assert.ThrowsAsync<EngineException>(() => engine.StartRunAsync(plan, useCache: true, Cancellation));

        Assert.Equal("stage 'prune' needs a worker that serves gpu, but the live workers serve cpu", error.Message);
    }

    [Fact]
    public async Task Keeps_progress_and_log_of_a_stage_that_talks_a_lot()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(Toys.Stage("talk", "toy.chatter", new { lines = 2500 }));

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);
        var lines = await engine.Runs.LogsAsync(run.Id, "talk", 0, Cancellation);

        Assert.Equal(2500, lines.Count);
        Assert.Equal(Enumerable.Range(1, 2500).Select(line => $"line {line}\uFFFD"), lines.Select(line => line.Text));
        Assert.Equal(500, (await engine.Runs.LogsAsync(run.Id, null, lines[1999].Id, Cancellation)).Count);
        var progress = run.Stages[0].Progress!;
        Assert.Equal((2500, 2500, "line"), (progress.Done, progress.Total, progress.Unit));
        Assert.Equal(["loss"], progress.Figures.Keys);
    }

    [Fact]
    public async Task Says_which_run_it_does_not_know()
    {
        await using var engine = await database.OpenAsync(Toys.Catalog());
        var unknown = Guid.CreateVersion7();

        Assert.Null(await engine.Runs.FindAsync(unknown, Cancellation));
        var error = await Assert.ThrowsAsync<EngineException>(() => engine.CancelRunAsync(unknown, Cancellation));
        Assert.Equal($"there is no run {unknown}", error.Message);
        await Assert.ThrowsAsync<RunLookupException>(() => engine.Runs.FindAsync("zz", Cancellation));
        await Assert.ThrowsAsync<RunLookupException>(() => engine.Runs.FindAsync("ffffffffffff", Cancellation));
    }
}
