using Pipelines.Engine;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Engine;

/// <summary>What a run would reuse, said before it is started, and whether it then does.</summary>
public sealed class PreviewTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_never_computed_leaves_open_what_it_feeds()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(Toys.Number("new", 1001), Toys.Number("other", 1002), Toys.Add("both", "new", "other"));

        var previews = await engine.PreviewRunAsync(plan, useCache: true, Cancellation);

        Assert.Equal(
            [
                new("new", false, "it was never computed"), new("other", false, "it was never computed"),
                new StagePreview("both", null, "it depends on what new and other will give"),
            ],
            previews);
    }

    [Theory]
    [InlineData(1003)]
    [InlineData(1e-5)] // Postgres writes it in another way
    [InlineData(1.5e300)]
    public async Task What_is_stored_is_reused_as_the_preview_said(double value)
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(Toys.Number("a", value), Toys.Add("sum", "a", "a"));
        await engine.WaitAsync(await engine.StartRunAsync(plan, true, Cancellation), Cancellation);

        var previews = await engine.PreviewRunAsync(plan, useCache: true, Cancellation);
        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, true, Cancellation), Cancellation);

        Assert.Equal([new("a", true, null), new StagePreview("sum", true, null)], previews);
        Assert.All(run.Stages, stage => Assert.True(stage.Reused));
    }

    [Fact]
    public async Task What_changed_is_named_in_the_words_of_the_run_itself()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var before = Toys.Plan(Toys.Number("changing", 1004), Toys.Number("same", 1005), Toys.Add("sum", "changing", "same"));
        await engine.WaitAsync(await engine.StartRunAsync(before, true, Cancellation), Cancellation);
        var plan = Toys.Plan(Toys.Number("changing", 1006), Toys.Number("same", 1005), Toys.Add("sum", "changing", "same"));

        var previews = await engine.PreviewRunAsync(plan, useCache: true, Cancellation);
        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, true, Cancellation), Cancellation);

        Assert.Equal("value is 1006, was 1004", previews[0].Reason);
        Assert.Equal(previews[0].Reason, run.Stages[0].Reason);
        Assert.Equal([false, true, null], previews.Select(preview => preview.Reused));
    }

    [Fact]
    public async Task A_damaged_or_unwanted_result_is_not_promised()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(
            Toys.Stage("file", "toy.write-file", new { text = "previewed" }), Toys.Number("always", 1007) with { Cache = false });
        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, true, Cancellation), Cancellation);
        var whole = await engine.PreviewRunAsync(plan, useCache: true, Cancellation);
        engine.LocalArtifacts.Remove(run.Stages[0].Outputs!.Value.GetProperty("file").GetString()!);

        var previews = await engine.PreviewRunAsync(plan, useCache: true, Cancellation);
        var without = await engine.PreviewRunAsync(plan, useCache: false, Cancellation);

        Assert.True(whole[0].Reused);
        Assert.Equal(
            [new("file", false, "the stored result was deleted or damaged"), new StagePreview("always", false, "the stage does without stored results")],
            previews);
        Assert.All(without, preview => Assert.Equal("the run does without stored results", preview.Reason));
    }

    [Fact]
    public async Task A_condition_is_answered_where_what_it_reads_is_known()
    {
        const string Document = """
            { "name": "conditional", "parameters": { "x": { "type": "number" } }, "stages": [
                { "id": "a", "kind": "toy.number", "parameters": { "value": "${x}" } },
                { "id": "low", "kind": "toy.add", "inputs": { "a": "a.value", "b": "a.value" }, "when": "a.value < 2000" },
                { "id": "high", "kind": "toy.add", "inputs": { "a": "a.value", "b": "a.value" }, "when": "a.value >= 2000" },
                { "id": "either", "kind": "toy.add", "inputs": { "a": ["low.value", "high.value"], "b": "a.value" } }] }
            """;
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.PlanOf(Document, ("x", 1008));
        await engine.WaitAsync(await engine.StartRunAsync(plan, true, Cancellation), Cancellation);

        var previews = (await engine.PreviewRunAsync(plan, useCache: true, Cancellation)).ToDictionary(preview => preview.Id);

        Assert.Equal(new StagePreview("high", false, "a.value >= 2000 is false", Skipped: true), previews["high"]);
        Assert.All(new[] { "a", "low", "either" }, stage => Assert.True(previews[stage].Reused));
    }
}
