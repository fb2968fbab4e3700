using Pipelines.Cli;
using Pipelines.Cli.Commands;

namespace Pipelines.Tests.Cli;

/// <summary>What the options of <c>run</c> make of a document.</summary>
public sealed class WorkflowTests
{
    private const string Document = """
        { "name": "w", "stages": [
          { "id": "text", "kind": "data.synthetic" },
          { "id": "sweep", "matrix": { "values": { "i": [1, 2] } }, "stages": [
            { "id": "a", "kind": "data.synthetic", "parameters": { "seed": "${i}" } },
            { "id": "b", "kind": "data.synthetic", "resources": { "gpu": 0 } } ] } ] }
        """;

    [Theory]
    [InlineData("text", "text")]
    [InlineData("sweep.a", "sweep.1.a sweep.2.a")]
    [InlineData("sweep", "sweep.1.a sweep.1.b sweep.2.a sweep.2.b")]
    public void A_stage_or_a_group_can_be_computed_anew(string named, string stages)
    {
        using var place = new Place();
        place.Write("w.json", Document);

        var plan = Workflow.Plan(place["w.json"], [], anew: [named]);

        Assert.Equal(stages.Split(' '), plan.Stages.Where(stage => !stage.Cache).Select(stage => stage.Id).Order());
    }

    [Fact]
    public void A_stage_that_is_not_there_is_named()
    {
        using var place = new Place();
        place.Write("w.json", Document);

        var error = Assert.Throws<UserException>(() => Workflow.Plan(place["w.json"], [], anew: ["sweep.c"]));

        Assert.Equal("--no-cache-stage sweep.c: there is no such stage (did you mean 'sweep.a'?)", error.Message);
    }

    [Fact]
    public void Every_activity_gets_a_GPU_that_does_not_say_that_it_needs_none()
    {
        using var place = new Place();
        place.Write("w.json", Document);

        var plan = Workflow.Plan(place["w.json"], [], gpu: true);

        Assert.Equal(["sweep.1.b", "sweep.2.b"], plan.Stages.Where(stage => stage.Gpu == 0).Select(stage => stage.Id).Order());
    }
}
