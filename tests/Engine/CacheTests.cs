using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Engine;

public sealed class CacheTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_run_takes_the_result_of_the_first()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());

        var first = await RunAsync(engine, "again", useCache: true);
        var second = await RunAsync(engine, "again", useCache: true);

        Assert.False(first.Reused);
        Assert.True(second.Reused);
        Assert.Equal(1, WriteFile.Computed["again"]);
        Assert.Equal(first.Outputs!.Value.GetRawText(), second.Outputs!.Value.GetRawText());
    }

    [Fact]
    public async Task Another_parameter_is_another_result()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());

        await RunAsync(engine, "one", useCache: true);

        Assert.False((await RunAsync(engine, "other", useCache: true)).Reused);
    }

    [Fact]
    public async Task A_run_without_the_cache_computes_all_and_leaves_its_results_for_others()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());

        await RunAsync(engine, "computed", useCache: false);
        await RunAsync(engine, "computed", useCache: false);
        var third = await RunAsync(engine, "computed", useCache: true);

        Assert.Equal(2, WriteFile.Computed["computed"]);
        Assert.True(third.Reused);
    }

    [Theory]
    [InlineData("deleted")]
    [InlineData("damaged")]
    public async Task A_result_whose_artifact_is_gone_is_computed_anew(string text)
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var first = await RunAsync(engine, text, useCache: true);
        var hash = first.Outputs!.Value.GetProperty("file").GetString()!;
        var folder = await engine.Artifacts.OpenAsync(hash, Cancellation);
        if (text == "deleted")
            Directory.Delete(folder, recursive: true);
        else
            await File.WriteAllTextAsync(Path.Combine(folder, "text"), "something else", Cancellation);

        var second = await RunAsync(engine, text, useCache: true);

        Assert.False(second.Reused);
        Assert.Equal(text, await File.ReadAllTextAsync(
            Path.Combine(await engine.Artifacts.OpenAsync(hash, Cancellation), "text"), Cancellation));
    }

    [Fact]
    public async Task A_run_says_why_a_stage_was_not_reused()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var name = $"why-{Guid.NewGuid():N}";

        var first = await RunAsync(engine, "1", useCache: true, name);
        var reused = await RunAsync(engine, "1", useCache: true, name);
        var changed = await RunAsync(engine, "2", useCache: true, name);
        var without = await RunAsync(engine, "2", useCache: false, name);
        var never = await RunAsync(engine, "2", useCache: true, name, cache: false);
        Directory.Delete(await engine.Artifacts.OpenAsync(changed.Outputs!.Value.GetProperty("file").GetString()!, Cancellation), recursive: true);
        var deleted = await RunAsync(engine, "2", useCache: true, name);

        Assert.Equal(
            [
                null, null, "text is \"2\", was \"1\"", null,
                "the stage does without stored results", "the stored result was deleted or damaged",
            ],
            new[] { first, reused, changed, without, never, deleted }.Select(stage => stage.Reason));
    }

    private static async Task<StageView> RunAsync(
        PipelinesEngine engine, string text, bool useCache, string name = "toy", bool? cache = null)
    {
        var plan = Toys.Plan(Toys.Stage("write", "toy.write-file", new { text }) with { Cache = cache });
        plan = plan with { Definition = plan.Definition with { Name = name } };
        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache, Cancellation), Cancellation);
        Assert.Equal(RunState.Succeeded, run.State);
        return run.Stages.Single();
    }
}
