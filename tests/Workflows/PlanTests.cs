using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows;

public sealed class PlanTests
{
    [Fact]
    public void Orders_stages_after_those_that_feed_them()
    {
        var plan = Create("""
            { "name": "w", "stages": [
              { "id": "sum", "kind": "toy.add", "inputs": { "left": "a.value", "right": "b.value" } },
              { "id": "a", "kind": "toy.number" },
              { "id": "b", "kind": "toy.number", "parameters": { "value": 2 } } ] }
            """);

        Assert.Equal(["a", "b", "sum"], plan.Stages.Select(stage => stage.Id));
        Assert.Equal(["a", "b"], plan.Stages[2].Feeders);
        Assert.Equal(2, plan.Stages[2].Version);
    }

    [Fact]
    public void Writes_out_defaults_and_fills_in_workflow_parameters_with_their_type()
    {
        var plan = Create(
            """
            { "name": "w", "parameters": { "v": { "type": "number", "default": 3 }, "who": { "type": "text" } }, "stages": [
              { "id": "a", "kind": "toy.number", "parameters": { "value": "${v}", "name": "for ${who}: ${v}" } },
              { "id": "b", "kind": "toy.number" } ] }
            """,
            ("who", "x"));

        Assert.Equal("""{"value":3,"name":"for x: 3"}""", plan.Stages[0].Parameters.GetRawText());
        Assert.Equal("""{"value":1,"name":"one"}""", plan.Stages[1].Parameters.GetRawText());
    }

    [Fact]
    public void Reports_every_fault_at_once()
    {
        var errors = Refuse("""
            { "name": "w", "stages": [
              { "id": "a", "kind": "toy.numbre" },
              { "id": "b", "kind": "toy.number", "parameters": { "value": 11 } },
              { "id": "c", "kind": "toy.number", "parameters": { "valeu": 1 } },
              { "id": "d", "kind": "toy.add", "inputs": { "left": "b.sum" } } ] }
            """);

        Assert.Equal(
            [
                "a: no activity of kind 'toy.numbre' (did you mean 'toy.number'?)",
                "b: parameter 'value' is 11: must be between 0 and 10",
                "c: unknown parameter 'valeu' (did you mean 'value'?)",
                "d: input 'left' comes from 'b.sum', but toy.number has no output 'sum' (there is: value, name)",
            ],
            errors);
    }

    [Theory]
    [InlineData("""{ "id": "s", "kind": "toy.add", "inputs": { "left": "n.name" } }""",
        "s: input 'left' takes a double, but n.name is a string")]
    [InlineData("""{ "id": "s", "kind": "toy.add" }""", "s: input 'left' (double) is not connected")]
    [InlineData("""{ "id": "s", "kind": "toy.add", "inputs": { "left": "n.value", "rihgt": "n.value" } }""",
        "s: toy.add has no input 'rihgt' (did you mean 'right'?)")]
    [InlineData("""{ "id": "s", "kind": "toy.add", "inputs": { "left": "m.value" } }""",
        "s: input 'left' comes from 'm.value', but there is no stage 'm' (did you mean 'n'?)")]
    [InlineData("""{ "id": "s", "kind": "toy.add", "inputs": { "left": "value" } }""",
        "s: input 'left' is 'value': expected stage.port")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "parameters": { "value": "three" } }""",
        "s: parameter 'value': expected number")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "parameters": { "value": "${q}" } }""",
        "s: '${q}': the workflow has no parameter 'q'")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "parameters": 3 }""", "s: parameters: expected an object")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "resources": { "gpu": 2 } }""",
        "s: resources.gpu is 2: expected 0 or 1")]
    [InlineData("""{ "id": "s", "kind": "toy.number", "retry": { "attempts": 0 } }""",
        "s: retry.attempts is 0: expected 1 to 100")]
    [InlineData("""{ "id": "n", "kind": "toy.number" }""", "n: 2 stages have this id")]
    [InlineData("""{ "id": "../n", "kind": "toy.number" }""",
        "../n: an id is a letter followed by letters, digits, '-' and '_', 64 at most")]
    public void Names_the_stage_the_value_and_what_was_expected(string stage, string error)
    {
        var errors = Refuse($$"""{ "name": "w", "stages": [ { "id": "n", "kind": "toy.number" }, {{stage}} ] }""");

        Assert.Equal(error, Assert.Single(errors));
    }

    [Fact]
    public void Shows_a_cycle_as_a_path()
    {
        var errors = Refuse("""
            { "name": "w", "stages": [
              { "id": "a", "kind": "toy.add", "inputs": { "left": "c.sum" } },
              { "id": "b", "kind": "toy.add", "inputs": { "left": "a.sum" } },
              { "id": "c", "kind": "toy.add", "inputs": { "left": "b.sum" } },
              { "id": "d", "kind": "toy.add", "inputs": { "left": "c.sum" } } ] }
            """);

        Assert.Equal("the stages feed each other in a circle: a → b → c → a", Assert.Single(errors));
    }

    [Theory]
    [InlineData("""{ "type": "number" }""", null, "parameter 'p' must be set: --set p=…")]
    [InlineData("""{ "type": "number", "description": "how much" }""", null,
        "parameter 'p' must be set: --set p=… (how much)")]
    [InlineData("""{ "type": "number" }""", "half", "parameter 'p' is \"half\": expected number")]
    [InlineData("""{ "type": "integer" }""", "1.5", "parameter 'p' is \"1.5\": expected integer")]
    [InlineData("""{ "type": "boolean" }""", "yes", "parameter 'p' is \"yes\": expected boolean")]
    public void Checks_the_workflows_own_parameters(string declared, string? value, string error)
    {
        var errors = Refuse(
            $$"""{ "name": "w", "parameters": { "p": {{declared}} }, "stages": [ { "id": "n", "kind": "toy.number" } ] }""",
            value is null ? [] : [("p", value)]);

        Assert.Equal(error, Assert.Single(errors));
    }

    [Fact]
    public void Refuses_a_value_for_a_parameter_that_does_not_exist()
    {
        var errors = Refuse("""{ "name": "w", "stages": [ { "id": "n", "kind": "toy.number" } ] }""", ("speed", "1"));

        Assert.Equal("the workflow has no parameter 'speed'", Assert.Single(errors));
    }

    [Fact]
    public void Plans_ten_thousand_stages_in_order()
    {
        var stages = Enumerable.Range(1, 9_999)
            .Select(i => $$"""{ "id": "s{{i}}", "kind": "toy.add", "inputs": { "left": "{{(i == 1 ? "s0.value" : $"s{i - 1}.sum")}}" } }""")
            .Reverse();

        var plan = Create($$"""{ "name": "w", "stages": [ {{string.Join(",", stages)}}, { "id": "s0", "kind": "toy.number" } ] }""");

        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => $"s{i}"), plan.Stages.Select(stage => stage.Id));
    }

    private static Plan Create(string json, params (string Name, string Value)[] set)
    {
        Assert.True(TryCreate(json, set, out var plan, out var errors), string.Join("\n", errors));
        return plan;
    }

    private static IEnumerable<string> Refuse(string json, params (string Name, string Value)[] set)
    {
        Assert.False(TryCreate(json, set, out _, out var errors));
        return errors.Select(error => error.ToString());
    }

    private static bool TryCreate(
        string json, (string Name, string Value)[] set, out Plan plan, out IReadOnlyList<WorkflowError> errors) =>
        Plan.TryCreate(
            Json.Read<WorkflowDefinition>(json), ToyActivities.Catalog(),
            set.ToDictionary(pair => pair.Name, pair => JsonSerializer.SerializeToElement(pair.Value)), out plan, out errors);
}
