using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Activities.Evaluation;
using Pipelines.Engine;
using Pipelines.Models;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Templates;

/// <summary>Recipes for image classifiers, run whole on a few small images.</summary>
public sealed class SparseImageTemplateTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static readonly (string Name, object Value)[] Small =
    [
        ("classes", 3), ("perClass", 10), ("evaluationPerClass", 8), ("size", 16), ("batch", 10), ("epochs", 1),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_class_is_forgotten_in_six_ways_beside_a_retrained_model()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, "image-unlearn", ("unlearning", 1), ("sparsity", 0.9), ("samples", 4), ("step", 0.01));

        var retrained = Json.Read<UnlearningMeasurement>(run.Outputs["retrained"]);
        Assert.Null(retrained.Gap);
        foreach (var name in new[] { "sparse", "finetune", "penalized", "ascent", "fisher", "influence" })
        {
            var measured = Json.Read<UnlearningMeasurement>(run.Outputs[name]);
            Assert.Equal(retrained.Protocol, measured.Protocol);
            Assert.InRange(measured.Gap!.Average, 0, 1);
            Assert.True(measured.Seconds > 0);
            Assert.Equal(name == "sparse", measured.Nonzero < 0.2 * measured.Parameters);
        }
    }

    [Fact]
    public async Task A_ticket_has_the_early_weights_and_what_three_rounds_left()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, "image-lottery-ticket", ("rounds", 3), ("share", 0.5));

        var nonzero = Json.Read<Ranking>(run.Outputs["ranking"]).Models.ToDictionary(one => one.Stage, one => one.Figures.Nonzero);
        Assert.InRange((double)nonzero["evaluate-ticket"] / nonzero["evaluate-dense"], 0.125, 0.135);
        Assert.Equal(nonzero["evaluate-ticket"], nonzero["evaluate-swap"]);
        using var ticket = await LoadAsync(engine, run.Outputs["ticket"]);
        using var trained = await LoadAsync(engine, run.Outputs["checkpoint"]);
        using var scope = NewDisposeScope();
        Assert.True(ticket["conv1.weight"].eq(0).equal(trained["conv1.weight"].eq(0)).all().ToBoolean());
    }

    [Fact]
    public async Task Rounds_of_sap_end_when_little_is_left_to_remove()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, "image-sap", ("rounds", 3), ("enough", 0.99));

        // The first round removes less than that.
        Assert.Equal(2, run.Stages.Count(stage => stage.Id.EndsWith(".prune", StringComparison.Ordinal) && stage.State == StageState.Skipped));
        Assert.InRange(run.Outputs["index"].GetDouble(), 0.1, 0.5);
    }

    [Fact]
    public async Task An_oracle_study_ends_in_its_best_way()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, "image-oracle", ("plans", 3), ("retraining", 1));

        Assert.Equal(3, Json.Read<OracleStudy>(run.Outputs["study"]).Plans.Count);
        using var network = await LoadAsync(engine, run.Outputs["model"]);
        Assert.Equal(8, network["layer1.0.conv1.weight"].shape[0]);
    }

    [Fact]
    public async Task A_network_that_is_pruned_by_its_explanations_is_compared_with_one_that_is_not()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, "image-isp", ("predictor", 2), ("selector", 2), ("gates", 3), ("tuning", 1));

        var similarities = new[] { "isp", "smallest", "ispTuned", "smallestTuned" }.Select(name => Json.Read<ExplanationSimilarity>(run.Outputs[name])).ToArray();
        Assert.Single(similarities.Select(similarity => similarity.Protocol).Distinct());
        Assert.Single(similarities.Select(similarity => similarity.Radial!.Protocol).Distinct());
        Assert.Equal(4, similarities.Select(similarity => similarity.Cosine).Distinct().Count());
        var flops = Json.Read<Ranking>(run.Outputs["ranking"]).Models.ToDictionary(one => one.Stage, one => one.Figures.Flops!.Value);
        Assert.InRange(flops["evaluate-isp"] / flops["evaluate-dense"], 0.45, 0.5);
    }

    private static async Task<ImageClassifier> LoadAsync(PipelinesEngine engine, JsonElement model) =>
        VisionFolder.Load(await engine.Artifacts.OpenAsync(model.GetProperty("hash").GetString()!, Cancellation), CPU);

    private static async Task<RunView> RunAsync(PipelinesEngine engine, string template, params (string Name, object Value)[] set)
    {
        var definition = WorkflowFile.Read(Path.Combine(Repository.Root, "workflows", "templates", $"{template}.json"));
        var values = Small.Concat(set).ToDictionary(one => one.Name, one => JsonSerializer.SerializeToElement(one.Value));
        Assert.True(Plan.TryCreate(definition, ActivityCatalog.Create(), values, out var plan, out var errors), string.Join('\n', errors));
        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);
        Assert.True(run.State == RunState.Succeeded, string.Join('\n', run.Stages.Select(stage => $"{stage.Id}: {stage.State} {stage.Error}")));
        return run;
    }
}
