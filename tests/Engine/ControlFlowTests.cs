using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine;

/// <summary>Conditions, fan-outs and rounds as they run.</summary>
public sealed class ControlFlowTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public async Task A_stage_whose_condition_does_not_hold_is_skipped_and_the_other_way_is_taken(bool more, double result)
    {
        var run = await RunAsync(Toys.PlanOf(
            """
            { "name": "w", "outputs": { "end": "end.value" }, "parameters": { "more": { "type": "boolean" } }, "stages": [
              { "id": "a", "kind": "toy.number", "parameters": { "value": 1 } },
              { "id": "b", "kind": "toy.add", "when": "more and a.value < 3", "inputs": { "a": "a.value", "b": "a.value" } },
              { "id": "after", "kind": "toy.add", "inputs": { "a": "b.value", "b": "b.value" } },
              { "id": "end", "kind": "toy.fail-times", "parameters": { "counter": "flow" }, "inputs": { "value": ["b.value", "a.value"] } } ] }
            """,
            ("more", more)));

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(result, run.Outputs["end"].GetDouble());
        var (b, after) = (run.Stages.Single(stage => stage.Id == "b"), run.Stages.Single(stage => stage.Id == "after"));
        Assert.Equal(more ? StageState.Succeeded : StageState.Skipped, b.State);
        Assert.Equal(more ? StageState.Succeeded : StageState.Skipped, after.State);
        Assert.Equal(more ? null : "more and a.value < 3 is false", b.Reason);
        Assert.Equal(more ? null : "what feeds its input 'a' was skipped", after.Reason);
        Assert.Equal(more ? 1 : 0, b.Attempt);
    }

    [Fact]
    public async Task A_run_of_which_everything_is_skipped_has_succeeded()
    {
        var run = await RunAsync(Toys.PlanOf(
            """{ "name": "w", "stages": [ { "id": "a", "kind": "toy.number", "when": "1 > 2" }, { "id": "b", "kind": "toy.add", "inputs": { "a": "a.value", "b": "a.value" } } ] }"""));

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.All(run.Stages, stage => Assert.Equal(StageState.Skipped, stage.State));
    }

    [Fact]
    public async Task A_condition_without_an_answer_fails_its_stage_and_blocks_what_it_feeds()
    {
        var run = await RunAsync(Toys.PlanOf("""
            { "name": "w", "stages": [
              { "id": "a", "kind": "toy.number", "when": "false" }, { "id": "c", "kind": "toy.number" },
              { "id": "b", "kind": "toy.number", "when": "c.value == 0 and a.value > 0" },
              { "id": "d", "kind": "toy.add", "inputs": { "a": "b.value", "b": "c.value" } } ] }
            """));

        Assert.Equal(RunState.Failed, run.State);
        var failed = run.Stages.Single(stage => stage.State == StageState.Failed);
        Assert.Equal("b", failed.Id);
        Assert.Equal("the condition 'c.value == 0 and a.value > 0' has no answer: at 17: 'a.value' has no value", failed.Error);
        Assert.Equal(StageState.Blocked, run.Stages.Single(stage => stage.Id == "d").State);
    }

    [Fact]
    public async Task A_fan_out_is_joined_with_the_values_of_its_branches_without_those_that_were_skipped()
    {
        var run = await RunAsync(Toys.PlanOf("""
            { "name": "w", "outputs": { "of": "sum.of", "all": "sweep.result" }, "stages": [
              { "id": "sweep", "matrix": { "values": { "by": [2, 3, 4] } }, "when": "by != 3", "outputs": { "result": "by.value" },
                "stages": [ { "id": "by", "kind": "toy.number", "parameters": { "value": "${by}" } } ] },
              { "id": "sum", "kind": "toy.sum", "inputs": { "values": "sweep.result" } } ] }
            """));

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal("sweep.1.by(by=2) sweep.3.by(by=4)", run.Outputs["of"].GetString());
        Assert.Equal([2.0, 4], run.Outputs["all"].EnumerateArray().Select(branch => branch.GetProperty("value").GetDouble()));
        Assert.Equal(4, run.Stages.Single(stage => stage.Id == "sweep.3.by").Variables!["by"].GetInt32());
    }

    [Fact]
    public async Task Rounds_end_when_the_condition_holds_and_the_last_that_ran_is_the_result()
    {
        var run = await RunAsync(Toys.PlanOf("""
            { "name": "w", "outputs": { "end": "grow.value" }, "stages": [
              { "id": "start", "kind": "toy.number", "parameters": { "value": 1 } },
              { "id": "grow", "repeat": { "times": 5, "until": "add.value > 5" },
                "inputs": { "value": "start.value" }, "outputs": { "value": "add.value" }, "stages": [
                { "id": "step", "kind": "toy.number", "parameters": { "value": "${round}" } },
                { "id": "add", "kind": "toy.add", "inputs": { "a": "inputs.value", "b": "step.value" } } ] } ] }
            """));

        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(7, run.Outputs["end"].GetDouble()); // 1 + 1 + 2 + 3
        Assert.Equal(
            ["grow.4.step", "grow.4.add", "grow.5.step", "grow.5.add"],
            run.Stages.Where(stage => stage.State == StageState.Skipped).Select(stage => stage.Id));
        Assert.Equal("add.value > 5 is true", run.Stages.Single(stage => stage.Id == "grow.5.add").Reason);
    }

    [Fact]
    public async Task A_bounded_fan_out_has_no_more_branches_under_way_than_it_may_and_goes_on_when_one_fails()
    {
        FailTimes.Left["turn-2"] = 1;
        var plan = Toys.PlanOf("""
            { "name": "w", "stages": [
              { "id": "sweep", "matrix": { "values": { "i": [1, 2, 3, 4, 5, 6] }, "parallel": 2 }, "outputs": { "result": "end.value" }, "stages": [
                { "id": "door", "kind": "toy.door", "parameters": { "name": "turn-${i}" } },
                { "id": "end", "kind": "toy.fail-times", "parameters": { "counter": "turn-${i}" }, "inputs": { "value": "door.value" } } ] },
              { "id": "sum", "kind": "toy.sum", "inputs": { "values": "sweep.result" } } ] }
            """);
        await using var engine = await database.WorkAsync(Toys.Catalog(), slots: 8);
        var id = await engine.StartRunAsync(plan, useCache: false, Cancellation);

        for (var i = 1; i <= 6; i++)
        {
            await Door.Named($"turn-{i}").BegunAsync();
            var view = Assert.IsType<RunView>(await engine.Runs.FindAsync(id, Cancellation));
            Assert.True(view.Stages.Count(stage => stage.State is StageState.Running or StageState.Ready) <= 2);
            Door.Named($"turn-{i}").Open();
        }

        var run = await engine.WaitAsync(id, Cancellation);
        Assert.Equal(RunState.Failed, run.State);
        Assert.Equal("sweep.2.end", run.Stages.Single(stage => stage.State == StageState.Failed).Id);
        Assert.Equal(11, run.Stages.Count(stage => stage.State == StageState.Succeeded));

        var again = await engine.ResetRunAsync(id, new RunAgain(), Cancellation);
        run = await engine.WaitAsync(id, Cancellation);

        Assert.Equal(["sweep.2.end", "sum"], again.WillRun);
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(1, run.Stages.Single(stage => stage.Id == "sweep.3.end").Attempt);
    }

    [Fact]
    public async Task A_bounded_fan_out_ends_with_what_feeds_its_branches()
    {
        FailTimes.Left["around"] = 1;
        var run = await RunAsync(Toys.PlanOf("""
            { "name": "w", "stages": [
              { "id": "broken", "kind": "toy.fail-times", "parameters": { "counter": "around" } },
              { "id": "sweep", "matrix": { "values": { "i": [1, 2, 3] }, "parallel": 1 }, "stages": [
                { "id": "own", "kind": "toy.number" },
                { "id": "fed", "kind": "toy.add", "inputs": { "a": "broken.value", "b": "own.value" } } ] } ] }
            """));

        Assert.Equal(RunState.Failed, run.State);
        Assert.All(run.Stages.Where(stage => stage.Id.EndsWith("own", StringComparison.Ordinal)), stage => Assert.Equal(StageState.Succeeded, stage.State));
        Assert.All(run.Stages.Where(stage => stage.Id.EndsWith("fed", StringComparison.Ordinal)), stage => Assert.Equal(StageState.Blocked, stage.State));
    }

    [Fact]
    public async Task New_values_for_a_run_answer_its_conditions_anew()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.PlanOf(
            """
            { "name": "w", "parameters": { "most": { "type": "number", "default": 3 } }, "stages": [
              { "id": "a", "kind": "toy.number", "parameters": { "value": 4 } },
              { "id": "b", "kind": "toy.number", "when": "a.value <= most" } ] }
            """);
        var id = await engine.StartRunAsync(plan, useCache: true, Cancellation);
        var before = await engine.WaitAsync(id, Cancellation);

        await engine.ResetRunAsync(
            id, new RunAgain("b", Values: new Dictionary<string, System.Text.Json.JsonElement> { ["most"] = Json.Write(5) }), Cancellation);
        var after = await engine.WaitAsync(id, Cancellation);

        Assert.Equal(StageState.Skipped, before.Stages[1].State);
        Assert.Equal(StageState.Succeeded, after.Stages[1].State);
        Assert.Equal("it was asked for again", after.Stages[1].Reason);
        Assert.Equal(1, after.Stages[0].Attempt);
    }

    [Fact]
    public async Task Cancelling_a_bounded_fan_out_ends_it()
    {
        var plan = Toys.PlanOf("""
            { "name": "w", "stages": [ { "id": "s", "kind": "toy.door", "parameters": { "name": "shut-${i}" }, "matrix": { "values": { "i": [1, 2, 3] }, "parallel": 1 } } ] }
            """);
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var id = await engine.StartRunAsync(plan, useCache: false, Cancellation);
        await Door.Named("shut-1").BegunAsync();

        await engine.CancelRunAsync(id, Cancellation);
        var run = await engine.WaitAsync(id, Cancellation);

        Assert.Equal(RunState.Cancelled, run.State);
        Assert.All(run.Stages, stage => Assert.Equal(StageState.Cancelled, stage.State));
    }

    private async Task<RunView> RunAsync(Plan plan)
    {
        await using var engine = await database.WorkAsync(Toys.Catalog(), slots: 2);
        return await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);
    }
}
