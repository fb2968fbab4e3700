using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Engine;
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
    /// <param name="manifest">Whether a plain config cannot say what comes out; null where that depends on which method did best.</param>
    [Theory]
    [InlineData("llama-tomoe", SizeOf.Flops, true)]
    [InlineData("llama-loraprune", SizeOf.Parameters, false)]
    [InlineData("llama-zeros", SizeOf.Nonzero, false)]
    [InlineData("llama-blocks", SizeOf.Parameters, null)]
    public async Task A_methods_recipe_ends_in_a_smaller_model_that_loads(string template, SizeOf smaller, bool? manifest)
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, template);

        var report = Json.Read<Comparison>(run.Outputs["report"]);
        Assert.True(Size(report.Pruned, smaller) < 0.98 * Size(report.Dense, smaller), $"{report.Pruned} of {report.Dense}");
        var export = Json.Read<Export>(run.Outputs["checkpoint"]);
        Assert.Equal(manifest ?? export.Manifest, export.Manifest);
        using var exported = CausalFolder.Load(await engine.Artifacts.OpenAsync(export.Hash, Cancellation), CPU);
        Assert.Equal((report.Recovered ?? report.Pruned).Parameters, exported.ParameterCount());
    }

    [Theory]
    [InlineData("llama-zeros", 13)]
    [InlineData("llama-blocks", 7)]
    public async Task Every_method_of_a_comparison_is_measured_and_the_best_is_exported(string template, int models)
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, template);

        var ranking = Json.Read<Ranking>(run.Outputs["ranking"]);
        Assert.Equal(models, ranking.Models.Count);
        Assert.Equal(models - 1, ranking.Models.DistinctBy(one => Json.Write(one.Variables).ToString()).Count() - 1);
        var best = ranking.Models.First(one => one.Variables.Count > 0).Figures;
        Assert.Equal(best, Json.Read<Comparison>(run.Outputs["report"]).Pruned);
    }

    [Fact]
    public async Task A_sweep_sets_quality_beside_size_and_measured_speed()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, "llama-pareto", ("recovery", 2));

        var ranking = Json.Read<Ranking>(run.Outputs["ranking"]);
        Assert.Equal(7, ranking.Models.Count);
        Assert.Equal(SizeMeasure.Parameters, ranking.Size);
        Assert.StartsWith("speed-1:", ranking.Speed!.Protocol, StringComparison.Ordinal);
        Assert.All(ranking.Models, one => Assert.True(one.Speed!.Decode!.Median > 0, one.Stage));
        Assert.True(ranking.Models[0].Pareto && ranking.Models[0].Speed!.Pareto);
        var dense = ranking.Models.Single(one => one.Variables.Count == 0).Figures.Parameters;
        Assert.All(ranking.Models.Where(one => one.Variables.Count > 0), one => Assert.True(one.Figures.Parameters < dense, one.Stage));
    }

    [Fact]
    public async Task What_is_much_worse_than_the_dense_model_is_not_timed()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, "llama-pareto", ("methods", new[] { "shortgpt" }), ("worth", 0.5));

        var ranking = Json.Read<Ranking>(run.Outputs["ranking"]);
        Assert.Null(ranking.Models.Single(one => one.Variables.Count > 0).Speed);
        Assert.NotNull(ranking.Models.Single(one => one.Variables.Count == 0).Speed);
    }

    [Fact]
    public async Task A_deeper_model_has_hardly_more_parameters()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var run = await RunAsync(engine, "llama-extend", ("layers", 4), ("rank", 1));

        var ranking = Json.Read<Ranking>(run.Outputs["ranking"]);
        var (dense, extended) = (Figures("evaluate-dense-trained"), Figures("evaluate-extended-trained"));
        Assert.True(extended.Parameters < 1.3 * dense.Parameters, $"{extended.Parameters} of {dense.Parameters}");
        Assert.True(extended.Flops > 1.3 * dense.Flops);
        var folder = await engine.Artifacts.OpenAsync(Json.Read<Export>(run.Outputs["checkpoint"]).Hash, Cancellation);
        using var exported = CausalFolder.Load(folder, CPU);
        Assert.Equal(4, exported.Blocks.Count);

        ModelFigures Figures(string stage) => ranking.Models.Single(one => one.Stage == stage).Figures;
    }

    private async Task<RunView> RunAsync(PipelinesEngine engine, string template, params (string Key, object Value)[] set)
    {
        var model = TinyModel.Save(Path.Combine(folder, "model"));
        var text = Path.Combine(folder, "text.txt");
        await File.WriteAllTextAsync(text, TinyModel.Text, Cancellation);
        var definition = WorkflowFile.Read(Path.Combine(Repository.Root, "workflows", "templates", $"{template}.json"));
        (string Key, object Value)[] known =
        [
            ("model", model), ("text", text), ("evaluation", text), ("length", 16), ("sequences", 8), ("windows", 8), ("steps", 4),
            ("batch", 2), ("interval", 1), ("experts", 3), ("rank", 2), ("blocks", 0.5), ("generations", 2), ("ratios", new[] { 0.5 }),
            ("rounds", 1),
        ];
        var values = known.Where(one => definition.Parameters!.ContainsKey(one.Key)).Concat(set).GroupBy(one => one.Key)
            .ToDictionary(one => one.Key, one => JsonSerializer.SerializeToElement(one.Last().Value));
        Assert.True(Plan.TryCreate(definition, ActivityCatalog.Create(), values, out var plan, out var errors), string.Join('\n', errors));
        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);
        Assert.True(run.State == RunState.Succeeded, string.Join('\n', run.Stages.Select(stage => $"{stage.Id}: {stage.State} {stage.Error}")));
        return run;
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
