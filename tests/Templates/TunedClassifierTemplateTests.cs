using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Templates;

/// <summary>The recipe of image classifiers that are trained and pruned at once, run whole on tiny images.</summary>
public sealed class TunedClassifierTemplateTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_way_to_train_and_prune_at_once_ends_in_a_smaller_network_that_is_ranked()
    {
        var definition = WorkflowFile.Read(Path.Combine(Repository.Root, "workflows", "templates", "classifier-train-prune.json"));
        var values = new Dictionary<string, JsonElement>
        {
            ["perClass"] = JsonElement.Parse("10"),
            ["size"] = JsonElement.Parse("8"),
            ["epochs"] = JsonElement.Parse("1"),
            ["ratio"] = JsonElement.Parse("0.4"),
            ["steps"] = JsonElement.Parse("12"),
            ["every"] = JsonElement.Parse("1"),
            ["rounds"] = JsonElement.Parse("2"),
            ["episodes"] = JsonElement.Parse("2"),
            ["batch"] = JsonElement.Parse("10"),
        };
        Assert.True(Plan.TryCreate(definition, ActivityCatalog.Create(), values, out var plan, out var errors), string.Join('\n', errors));
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);

        Assert.True(run.State == RunState.Succeeded, string.Join('\n', run.Stages.Select(stage => $"{stage.Id}: {stage.State} {stage.Error}")));
        var models = Json.Read<Ranking>(run.Outputs["ranking"]).Models.ToDictionary(model => model.Stage, model => model.Figures);
        Assert.Equal(4, models.Count);
        var dense = models["measure-dense"].Flops!.Value;
        Assert.All(models.Where(model => model.Key != "measure-dense"), model => Assert.InRange(model.Value.Flops!.Value / dense, 0.4, 0.6));
    }
}
