using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Models;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Templates;

/// <summary>The recipe of every method, run whole on a model of a few thousand parameters: it ends in an export that loads.</summary>
public sealed class MethodTemplateTests(FreshDatabase database) : IClassFixture<FreshDatabase>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-methods-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <param name="smaller">In what its result is smaller than the dense model.</param>
    /// <param name="manifest">Whether a plain config cannot say what comes out.</param>
    [Theory]
    [InlineData("llama-tomoe", SizeOf.Flops, true)]
    public async Task A_methods_recipe_ends_in_a_smaller_model_that_loads(string template, SizeOf smaller, bool manifest)
    {
        var model = TinyModel.Save(Path.Combine(folder, "model"));
        var text = Path.Combine(folder, "text.txt");
        await File.WriteAllTextAsync(text, TinyModel.Text, Cancellation);
        var definition = WorkflowFile.Read(Path.Combine(Repository.Root, "workflows", "templates", $"{template}.json"));
        (string Key, object Value)[] known =
            [("model", model), ("text", text), ("evaluation", text), ("length", 16), ("sequences", 8), ("steps", 4), ("experts", 3)];
        var values = known.Where(one => definition.Parameters!.ContainsKey(one.Key)).ToDictionary(one => one.Key, one => JsonSerializer.SerializeToElement(one.Value));
        Assert.True(Plan.TryCreate(definition, ActivityCatalog.Create(), values, out var plan, out var errors), string.Join('\n', errors));
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);

        Assert.True(run.State == RunState.Succeeded, string.Join('\n', run.Stages.Select(stage => $"{stage.Id}: {stage.State} {stage.Error}")));
        var report = Json.Read<Comparison>(run.Outputs["report"]);
        Assert.True(Size(report.Pruned, smaller) < 0.98 * Size(report.Dense, smaller), $"{report.Pruned} of {report.Dense}");
        var export = Json.Read<Export>(run.Outputs["checkpoint"]);
        Assert.Equal(manifest, export.Manifest);
        using var exported = CausalFolder.Load(await engine.Artifacts.OpenAsync(export.Hash, Cancellation), CPU);
        Assert.Equal((report.Recovered ?? report.Pruned).Parameters, exported.ParameterCount());
    }

    private static double Size(ModelFigures figures, SizeOf what) => what switch
    {
        SizeOf.Flops => figures.Flops!.Value,
        SizeOf.Nonzero => figures.Nonzero,
        _ => figures.Parameters,
    };

    public enum SizeOf
    {
        Parameters,
        Nonzero,
        Flops,
    }
}
