using System.Text.Json;
using Pipelines.Tests.Engine;
using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows;

/// <summary>Matrices, rounds, groups, nested workflows and conditions, laid out as stages.</summary>
public sealed class ControlFlowPlanTests
{
    [Fact]
    public void A_matrix_is_a_stage_for_each_combination_and_its_output_is_a_list()
    {
        var plan = Toys.PlanOf("""
            { "name": "w", "stages": [
              { "id": "n", "kind": "toy.number", "matrix": { "values": { "a": [1, 2], "b": [10, 20] } }, "parameters": { "value": "${a + b}" } },
              { "id": "sum", "kind": "toy.sum", "inputs": { "values": "n.value" } } ] }
            """);

        Assert.Equal(["n.1", "n.2", "n.3", "n.4", "sum"], plan.Stages.Select(stage => stage.Id));
        Assert.Equal([11.0, 21, 12, 22], plan.Stages.Take(4).Select(stage => stage.Parameters.GetProperty("value").GetDouble()));
        var items = plan.Stages[4].Inputs["values"].Items;
        Assert.Equal(["n.1.value", "n.2.value", "n.3.value", "n.4.value"], items.Select(item => item.FirstOf.Single().ToString()));
        Assert.Equal(20, items[1].Variables["b"].GetInt32());
        Assert.All(plan.Stages, stage => Assert.Null(stage.Gate));
    }

    [Fact]
    public void A_matrix_takes_its_values_from_a_parameter_that_is_a_list()
    {
        var plan = Toys.PlanOf(
            """
            { "name": "w", "parameters": { "sizes": { "type": "list", "default": [1] } }, "stages": [
              { "id": "n", "kind": "toy.number", "matrix": { "values": { "size": "${sizes}" } }, "parameters": { "value": "${size}" } } ] }
            """,
            ("sizes", "3, 4"));

        Assert.Equal([3.0, 4], plan.Stages.Select(stage => stage.Parameters.GetProperty("value").GetDouble()));
    }

    [Fact]
    public void A_group_sees_what_is_around_it_and_shows_its_outputs()
    {
        var plan = Toys.PlanOf("""
            { "name": "w", "stages": [
              { "id": "one", "kind": "toy.number", "parameters": { "value": 1 } },
              { "id": "sweep", "matrix": { "values": { "by": [2, 3] } }, "outputs": { "result": "twice.value" }, "stages": [
                { "id": "by", "kind": "toy.number", "parameters": { "value": "${by}" } },
                { "id": "twice", "kind": "toy.add", "inputs": { "a": "by.value", "b": "one.value" } } ] },
              { "id": "sum", "kind": "toy.sum", "inputs": { "values": "sweep.result" } } ] }
            """);

        Assert.Equal(["one", "sweep.1.by", "sweep.2.by", "sweep.1.twice", "sweep.2.twice", "sum"], plan.Stages.Select(stage => stage.Id));
        Assert.Equal(["sweep.2.by", "one"], plan.Stages[4].Feeders);
        Assert.Equal(["sweep.1.twice", "sweep.2.twice"], plan.Stages[5].Feeders);
        Assert.Equal(3, plan.Stages[2].Variables["by"].GetInt32());
    }

    [Fact]
    public void A_round_takes_what_the_one_before_put_out_and_the_last_that_ran_is_the_result()
    {
        var plan = Toys.PlanOf("""
            { "name": "w", "outputs": { "end": "grow.value" }, "stages": [
              { "id": "start", "kind": "toy.number", "parameters": { "value": 1 } },
              { "id": "grow", "repeat": { "times": 3, "until": "add.value > 5" },
                "inputs": { "value": "start.value" }, "outputs": { "value": "add.value" }, "stages": [
                { "id": "step", "kind": "toy.number", "parameters": { "value": "${round / rounds}" } },
                { "id": "add", "kind": "toy.add", "inputs": { "a": "inputs.value", "b": "step.value" } } ] } ] }
            """);

        var stages = plan.Stages.ToDictionary(stage => stage.Id);
        Assert.Equal("start.value", stages["grow.1.add"].Inputs["a"].Items[0].FirstOf.Single().ToString());
        Assert.Equal("grow.2.add.value", stages["grow.3.add"].Inputs["a"].Items[0].FirstOf.Single().ToString());
        Assert.Equal(
            ["grow.3.add.value", "grow.2.add.value", "grow.1.add.value"],
            plan.Outputs["end"].Items[0].FirstOf.Select(output => output.ToString()));
        Assert.Null(stages["grow.1.step"].Gate);
        var asked = stages["grow.3.step"].Gate!.Conditions;
        Assert.Equal([("add.value > 5", false), ("add.value > 5", false)], asked.Select(condition => (condition.Text, condition.Expected)));
        Assert.Equal("grow.2.add", asked[1].Stages.Single());
        Assert.Equal(2.0 / 3, stages["grow.2.step"].Parameters.GetProperty("value").GetDouble());
    }

    [Fact]
    public void An_activity_that_is_repeated_feeds_its_own_input_of_the_same_name()
    {
        var plan = Toys.PlanOf("""
            { "name": "w", "stages": [
              { "id": "n", "kind": "toy.number" },
              { "id": "again", "kind": "toy.fail-times", "parameters": { "counter": "x" }, "repeat": { "times": 2 },
                "inputs": { "value": "n.value" } } ] }
            """);

        Assert.Equal("again.1", plan.Stages[2].Feeders.Single());
    }

    [Fact]
    public void A_workflow_is_a_stage_of_another_with_parameters_and_inputs_of_its_own()
    {
        var plan = Toys.PlanOf("""
            { "name": "w", "parameters": { "v": { "type": "number", "default": 4 } }, "stages": [
              { "id": "n", "kind": "toy.number" },
              { "id": "inner", "parameters": { "by": "${v}" }, "inputs": { "start": "n.value" }, "workflow": {
                "name": "adds", "parameters": { "by": { "type": "number" } }, "inputs": { "start": "double" },
                "outputs": { "end": "sum.value" }, "stages": [
                  { "id": "n", "kind": "toy.number", "parameters": { "value": "${by}" } },
                  { "id": "sum", "kind": "toy.add", "inputs": { "a": "inputs.start", "b": "n.value" } } ] } },
              { "id": "last", "kind": "toy.add", "inputs": { "a": "inner.end", "b": "n.value" } } ] }
            """);

        var stages = plan.Stages.ToDictionary(stage => stage.Id);
        Assert.Equal(4, stages["inner.n"].Parameters.GetProperty("value").GetDouble());
        Assert.Equal(["n", "inner.n"], stages["inner.sum"].Feeders);
        Assert.Equal(["inner.sum", "n"], stages["last"].Feeders);
    }

    [Fact]
    public void What_may_be_skipped_gates_what_it_feeds()
    {
        var plan = Toys.PlanOf(
            """
            { "name": "w", "parameters": { "more": { "type": "boolean" } }, "stages": [
              { "id": "a", "kind": "toy.number" },
              { "id": "b", "kind": "toy.number", "when": "more and a.value < 3" },
              { "id": "c", "kind": "toy.fail-times", "parameters": { "counter": "y" }, "inputs": { "value": ["b.value", "a.value"] } } ] }
            """,
            ("more", true));

        Assert.Equal([false, true, true], plan.Stages.Select(stage => stage.Gate is not null));
        Assert.Equal(["b", "a"], plan.Stages[2].Feeders);
        Assert.True(plan.Stages[1].Gate!.Conditions[0].Variables["more"].GetBoolean());
        Assert.Equal("a.value", plan.Stages[1].Gate!.Conditions[0].Outputs["a.value"].Items[0].FirstOf[0].ToString());
    }

    [Theory]
    [InlineData("""{ "id": "s", "kind": "toy.number", "when": "n.value >" }""",
        "s: when: at 9: expected a value, found the end")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "when": "n.valeu > 1" }""",
        "s: when at 0: a value comes from 'n.valeu', but toy.number has no output 'valeu' (did you mean 'value'?)")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "when": "m.value > 1" }""",
        "s: when at 0: a value comes from 'm.value', but there is no stage 'm' (did you mean 'n'?)")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "when": "size > 1" }""", "s: when: there is no parameter 'size'")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "when": "s.value > 1" }""", "the stages feed each other in a circle: s → s")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "parameters": { "value": "${n.value}" } }""",
        "s: '${n.value}' at 0: a parameter cannot read 'n.value', it is known before anything runs")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "parameters": { "value": "${1 +}" } }""",
        "s: '${1 +}' at 3: expected a value, found the end")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "matrix": { "values": { } } }""",
        "s: matrix.values is empty: expected a list of values by name")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "matrix": { "values": { "a": [] } }, "parameters": { "value": "${a}" } }""",
        "s: matrix.values.a is []: expected a list with at least one value")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "matrix": { "values": { "a": [1], "a2": 3 }, "parallel": 0 } }""",
        "s: matrix.parallel is 0: expected a whole number, 1 to 20000\ns: matrix.values.a2 is 3: expected a list with at least one value")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "repeat": { "times": 0 } }""",
        "s: repeat.times is 0: expected a whole number, 1 to 1000")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "repeat": { "times": 2 }, "matrix": { "values": { "a": [1] } } }""",
        "s: it has a matrix and is repeated: put one into a group that has the other")]
    [InlineData("""{ "id": "s" }""", "s: it has neither kind, stages nor workflow: expected one")]
    [InlineData("""{ "id": "s", "stages": [], "timeout": 3 }""",
        "s: the group has no stages\ns: timeout is for a stage that has a kind: give it to the stages inside")]
    [InlineData("""{ "id": "s", "workflow": "other.json" }""", "s: the workflow 'other.json' was not read: it can only be named by a file")]
    [InlineData("""{ "id": "s", "kind": "toy.add", "inputs": { "a": "m2.value", "b": "n.value" } }, { "id": "m2", "kind": "toy.number", "matrix": { "values": { "q": [1, 2] } } }""",
        "s: input 'a' takes a double, but m2.value is a double[]: one for each combination of a matrix")]
    [InlineData("""{ "id": "s", "kind": "toy.add", "inputs": { "a": "inputs.x", "b": "n.value" } }""",
        "s: input 'a' comes from 'inputs.x', but there is no group around it that has inputs")]
    [InlineData("""{ "id": "g", "repeat": { "times": 2 }, "inputs": { "x": "g.x" }, "outputs": { "x": "inputs.x" }, "stages": [ { "id": "s", "kind": "toy.add", "inputs": { "a": "inputs.x", "b": "n.value" } } ] }""",
        "g: input 'x' comes from itself")]
    [InlineData("""{ "id": "g", "inputs": { "y": "n.value" }, "workflow": { "name": "i", "inputs": { "x": "string" }, "stages": [ { "id": "s", "kind": "toy.number", "parameters": { "valeu": 1 } } ] } }""",
        "g: the workflow has no input 'y' (did you mean 'x'?)\ng: input 'x' (string) is not connected\ng.s: unknown parameter 'valeu' (did you mean 'value'?)")]
    [InlineData("""{ "id": "g", "inputs": { "x": "n.value" }, "workflow": { "name": "i", "inputs": { "x": "string" }, "parameters": { "p": { "type": "number" } }, "stages": [ { "id": "s", "kind": "toy.number" } ] } }""",
        "g: parameter 'p' must be set: it has no default\ng: input 'x' takes a string, but is fed a double")]
    public void Says_what_is_wrong_and_where(string stage, string errors)
    {
        var definition = Json.Read<WorkflowDefinition>($$"""{ "name": "w", "stages": [ { "id": "n", "kind": "toy.number" }, {{stage}} ] }""");

        Assert.False(Plan.TryCreate(definition, Toys.Catalog(), new Dictionary<string, JsonElement>(), out _, out var found));

        Assert.Equal(errors, string.Join('\n', found));
    }

    [Fact]
    public void A_slip_in_the_members_of_an_output_is_found_before_anything_runs()
    {
        var definition = Json.Read<WorkflowDefinition>("""
            { "name": "w", "stages": [
              { "id": "e", "kind": "evaluate.perplexity" }, { "id": "s", "kind": "report", "when": "e.measurement.perplexty < 3" } ] }
            """);

        Assert.False(Plan.TryCreate(
            definition, Pipelines.Activities.ActivityCatalog.Create(), new Dictionary<string, JsonElement>(), out _, out var found));

        Assert.Contains(
            "s: when: 'e.measurement' at 0 has no member 'perplexty' (did you mean 'perplexity'?)", found.Select(error => error.ToString()));
    }

    [Fact]
    public void A_fault_that_every_branch_has_is_said_once_and_endless_fan_outs_are_refused()
    {
        var values = string.Join(',', Enumerable.Range(0, 150));
        var definition = Json.Read<WorkflowDefinition>($$"""
            { "name": "w", "stages": [ { "id": "a", "matrix": { "values": { "i": [{{values}}], "j": [{{values}}] } }, "stages": [
                { "id": "b", "matrix": { "values": { "k": [{{values}}] } }, "stages": [ { "id": "c", "kind": "toy.nmuber" } ] } ] },
              { "id": "d", "matrix": { "values": { "i": [{{values}}] } }, "stages": [
                { "id": "b", "matrix": { "values": { "k": [{{values}}] } }, "stages": [ { "id": "c", "kind": "toy.nmuber" } ] } ] } ] }
            """);

        Assert.False(Plan.TryCreate(definition, Toys.Catalog(), new Dictionary<string, JsonElement>(), out _, out var found));

        Assert.Equal(
            [
                "a: the matrix has more than 20000 combinations",
                "a.b.c: no activity of kind 'toy.nmuber' (did you mean 'toy.number'?)",
                "d.b.c: no activity of kind 'toy.nmuber' (did you mean 'toy.number'?)",
                "the workflow comes to more than 20000 stages",
            ],
            found.Select(error => error.ToString()));
    }
}
