using System.Text.Json;
using Pipelines.Activities;
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
        var model = Directory.CreateDirectory(Path.Combine(folder, "model")).FullName;
        using (var made = TinyClassifiers.Create("cifar-resnet-a"))
            VisionFolder.Save(made, model);
        var images = Path.Combine(folder, "images.bin");
        await File.WriteAllBytesAsync(
            images, [.. Enumerable.Range(0, 40).SelectMany(row => TinyImages.Cifar([(byte)(row % 10)], first: 7 * row))], Cancellation);
        var definition = WorkflowFile.Read(Path.Combine(Repository.Root, "workflows", "templates", "cnn-prune-finetune.json"));
        var values = new Dictionary<string, JsonElement>
        {
            ["model"] = Json.Write(model),
            ["images"] = Json.Write(images),
            ["evaluation"] = Json.Write(images),
            ["epochs"] = Json.Write(1),
            ["batch"] = Json.Write(10),
        };
        Assert.True(Plan.TryCreate(definition, ActivityCatalog.Create(), values, out var plan, out var errors), string.Join('\n', errors));
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);

        Assert.True(run.State == RunState.Succeeded, string.Join('\n', run.Stages.Select(stage => $"{stage.Id}: {stage.State} {stage.Error}")));
        var report = Json.Read<Comparison>(run.Outputs["report"]);
        Assert.InRange(report.Pruned.Flops!.Value / report.Dense.Flops!.Value, 0.4, 0.5);
        Assert.Equal(report.Pruned.Flops, report.Recovered!.Flops);
        Assert.NotNull(report.Recovered.Accuracy);
        var export = Json.Read<Export>(run.Outputs["checkpoint"]);
        Assert.True(export.Manifest);
        using var exported = VisionFolder.Load(await engine.Artifacts.OpenAsync(export.Hash, Cancellation), CPU);
        Assert.Equal(report.Recovered.Parameters, exported.ParameterCount());
        Assert.Equal(40, Json.Read<ClassificationScores>(run.Outputs["scores"]).Images);
    }
}
