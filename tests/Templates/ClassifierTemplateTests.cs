using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Engine;
using Pipelines.Models;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Templates;

/// <summary>The recipe for image classifiers, run whole on a few images: it ends in an export that loads.</summary>
public sealed class ClassifierTemplateTests(FreshDatabase database) : IClassFixture<FreshDatabase>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-classifiers-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_pruned_and_trained_classifier_has_half_the_operations_and_loads()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());

        var run = await RunAsync(engine, "cnn-prune-finetune", ("epochs", 1), ("batch", 10), ("rounds", 1));

        var report = Json.Read<Comparison>(run.Outputs["report"]);
        Assert.InRange(report.Pruned.Flops!.Value / report.Dense.Flops!.Value, 0.4, 0.5);
        Assert.Equal(report.Pruned.Flops, report.Recovered!.Flops);
        Assert.NotNull(report.Recovered.Accuracy);
        var export = Json.Read<Export>(run.Outputs["checkpoint"]);
        Assert.True(export.Manifest);
        using var exported = VisionFolder.Load(await engine.Artifacts.OpenAsync(export.Hash, Cancellation), CPU);
        Assert.Equal(report.Recovered.Parameters, exported.ParameterCount());
        Assert.Equal(40, Json.Read<ClassificationScores>(run.Outputs["scores"]).Images);
        Assert.True(Json.Read<SpeedComparison>(run.Outputs["speed"]).Images!.Ratio.Median > 0);
    }

    [Fact]
    public async Task Classifiers_are_ranked_by_size_and_by_speed()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());

        var run = await RunAsync(
            engine, "cnn-pareto", ("importances", new[] { "l2", "fpgm" }), ("ratios", new[] { 0.5 }), ("timed", 2), ("rounds", 1));

        var ranking = Json.Read<Ranking>(run.Outputs["ranking"]);
        Assert.Equal(3, ranking.Models.Count);
        Assert.Equal(SpeedMeasure.Images, ranking.Speed!.Measure);
        Assert.Contains(ranking.Models, model => model.Speed is { Pareto: true });
        var dense = ranking.Models.Single(model => model.Variables.Count == 0).Figures.Flops!.Value;
        Assert.All(ranking.Models.Where(model => model.Variables.Count > 0), model => Assert.InRange(model.Figures.Flops!.Value / dense, 0.4, 0.5));
    }

    /// <summary>On a network of chance and forty images.</summary>
    private async Task<RunView> RunAsync(PipelinesEngine engine, string template, params (string Name, object Value)[] set)
    {
        var model = Directory.CreateDirectory(Path.Combine(folder, "model")).FullName;
        using (var made = TinyClassifiers.Create("cifar-resnet-a"))
            VisionFolder.Save(made, model);
        var images = Path.Combine(folder, "images.bin");
        await File.WriteAllBytesAsync(
            images, [.. Enumerable.Range(0, 40).SelectMany(row => TinyImages.Cifar([(byte)(row % 10)], first: 7 * row))], Cancellation);
        var definition = WorkflowFile.Read(Path.Combine(Repository.Root, "workflows", "templates", $"{template}.json"));
        var values = set.Concat([("model", model), ("images", images), ("evaluation", images)])
            .ToDictionary(one => one.Item1, one => JsonSerializer.SerializeToElement(one.Item2));
        Assert.True(Plan.TryCreate(definition, ActivityCatalog.Create(), values, out var plan, out var errors), string.Join('\n', errors));
        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);
        Assert.True(run.State == RunState.Succeeded, string.Join('\n', run.Stages.Select(stage => $"{stage.Id}: {stage.State} {stage.Error}")));
        return run;
    }
}
