using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Engine;
using Pipelines.Models;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Templates;

/// <summary>The recipes that ship, run whole on a tiny model: real stages, real Postgres, real files.</summary>
public sealed class TemplateRunTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Quickstart_then_both_recipes_on_what_it_exports()
    {
        await using var engine = await database.WorkAsync(ActivityCatalog.Create());
        var first = await RunAsync(engine, "quickstart", ("steps", 30), ("recovery", 4));
        var report = Report(first);
        Assert.True(report.Dense.Perplexity < 250, "30 steps learn more than nothing");
        Assert.Equal(report.Dense.Nonzero, report.Dense.Parameters);
        Assert.True(report.Pruned.Nonzero < 0.6 * report.Dense.Nonzero);
        Assert.Equal(report.Pruned.Nonzero, report.Recovered!.Nonzero);
        Assert.All(first.Stages, stage => Assert.False(stage.Reused));

        var again = await RunAsync(engine, "quickstart", ("steps", 30), ("recovery", 4));
        Assert.All(again.Stages, stage => Assert.True(stage.Reused, stage.Id));
        Assert.Equal(report, Report(again));

        var folder = await engine.Artifacts.OpenAsync(Export(first).Hash, Cancellation);
        await PruneAndRecoverAsync(engine, folder);
        await PruneStructuredAsync(engine, folder);
        await SweepAsync(engine, folder);
        await StructuralAsync(engine, folder);
        await PruneAndDistillAsync(engine, folder);
        await PruneGraduallyAsync(engine, folder);
        await LearnedGatesAsync(engine, folder);
    }

    private static async Task StructuralAsync(PipelinesEngine engine, string model)
    {
        var run = await RunAsync(
            engine, "llama-structural",
            [.. Texts(model).Where(one => one.Name != "steps"), ("blocks", 0.5), ("windows", 4)]);

        var ranking = Json.Read<Ranking>(run.Outputs["ranking"]);
        Assert.Equal(5, ranking.Models.Count);
        var dense = ranking.Models.Single(one => one.Stage == "evaluate-dense").Figures.Parameters;
        Assert.All(ranking.Models.Where(one => one.Stage != "evaluate-dense"), one => Assert.True(one.Figures.Parameters < dense, one.Stage));
    }

    private static async Task PruneAndDistillAsync(PipelinesEngine engine, string model)
    {
        var run = await RunAsync(
            engine, "llama-prune-distill", [.. Texts(model), ("ratio", 0.5), ("windows", 8), ("rounds", 1)]);

        var ranking = Json.Read<Ranking>(run.Outputs["ranking"]);
        var size = Json.Read<ModelSize>(run.Outputs["size"]);
        Assert.Equal(4, ranking.Models.Count);
        Assert.All(size.Blocks, block => Assert.Equal(size.Dense![block.Block].Neurons / 2, block.Widths.Neurons));
        Assert.True(Json.Read<SpeedComparison>(run.Outputs["speed"]).Decode!.Ratio.Median > 0);
        var folder = await engine.Artifacts.OpenAsync(Export(run).Hash, Cancellation);
        using var exported = CausalFolder.Load(folder, CPU);
        Assert.Equal(size.Parameters, exported.ParameterCount());
    }

    private static async Task PruneGraduallyAsync(PipelinesEngine engine, string model)
    {
        // It calibrates on nothing, so it has no parameter for that.
        var set = Texts(model).Where(one => one.Name != "sequences");
        var run = await RunAsync(
            engine, "llama-prune-gradually", [.. set, ("windows", 8), ("rounds", 2), ("sparsity", 0.75)]);

        var sizes = Json.Read<Ranking>(run.Outputs["ranking"]).Models.Select(one => one.Figures.Nonzero).Order().ToArray();
        Assert.Equal(3, sizes.Length);

        // In rounds and in one run: as many weights are left, but for those that training moved onto zero.
        Assert.Equal(1, (double)sizes[0] / sizes[1], 1e-3);
        Assert.True(sizes[1] < 0.8 * sizes[2]);
    }

    private static async Task LearnedGatesAsync(PipelinesEngine engine, string model)
    {
        (string Name, object Value)[] common = [.. Texts(model).Where(one => one.Name != "sequences"), ("ratio", 0.4), ("batch", 2)];
        await AssertSmallerAsync(await RunAsync(engine, "llama-displlm", [.. common, ("recovery", 2)]));
        await AssertSmallerAsync(await RunAsync(engine, "llama-atp", common));

        async Task AssertSmallerAsync(RunView run)
        {
            var report = Report(run);
            Assert.True(report.Pruned.Parameters < 0.75 * report.Dense.Parameters);
            using var exported = CausalFolder.Load(await engine.Artifacts.OpenAsync(Export(run).Hash, Cancellation), CPU);
            Assert.Equal((report.Recovered ?? report.Pruned).Parameters, exported.ParameterCount());
        }
    }

    private static async Task SweepAsync(PipelinesEngine engine, string model)
    {
        var run = await RunAsync(
            engine, "llama-sweep", [.. Texts(model), ("ratios", new[] { 0.2, 0.6 }), ("increase", 50)]);

        var ranking = Json.Read<Ranking>(run.Outputs["ranking"]);
        Assert.Equal(4, ranking.Models.Count);
        Assert.Equal([1, 2, 3, 4], ranking.Models.Select(one => one.Rank));
        Assert.True(ranking.Models[0].Pareto);
        var smallest = ranking.Models.MinBy(one => one.Figures.Nonzero)!;
        Assert.Equal(0.6, smallest.Variables["sparsity"].GetDouble());
        var folder = await engine.Artifacts.OpenAsync(Export(run).Hash, Cancellation);
        using var exported = CausalFolder.Load(folder, CPU);
        Assert.Equal(smallest.Figures.Nonzero, exported.NonzeroCount());
        Assert.Equal(4, run.Stages.Count(stage => stage.State == StageState.Skipped));
    }

    private static async Task PruneAndRecoverAsync(PipelinesEngine engine, string model)
    {
        var texts = Texts(model);
        var run = await RunAsync(engine, "llama-prune-recover", [.. texts, ("pattern", "2:4"), ("gguf", "q8_0")]);
        var without = await RunAsync(engine, "llama-prune-recover", [.. texts, ("pattern", "2:4")]);
        Assert.Equal(["checkpoint", "report"], without.Outputs.Keys.Order());

        var report = Report(run);
        Assert.Equal(report.Pruned.Nonzero, report.Recovered!.Nonzero);
        Assert.False(Export(run).Manifest);
        var folder = await engine.Artifacts.OpenAsync(Export(run).Hash, Cancellation);
        using var exported = CausalFolder.Load(folder, CPU);
        await SameInGgufAsync(engine, run, exported);
        using var scope = NewDisposeScope();
        foreach (var linear in exported.Linears())
        {
            var groups = linear.Weight.ne(0).view(-1, 4).to(ScalarType.Int64).sum([-1L]);
            Assert.True(groups.max().ToInt64() <= 2, linear.Name);
        }
    }

    private static async Task SameInGgufAsync(PipelinesEngine engine, RunView run, CausalLM exported)
    {
        var folder = await engine.Artifacts.OpenAsync(Json.Read<Export>(run.Outputs["gguf"]).Hash, Cancellation);
        using var file = GgufFile.Open(Path.Combine(folder, "model.gguf"));
        using var scope = NewDisposeScope();
        var (down, there) = (exported.Blocks[0].Mlp!.Down.Weight, file.Floats("blk.0.ffn_down.weight"));
        Assert.Equal(GgmlType.Q80, file.Tensors["blk.0.ffn_down.weight"].Type);
        Assert.True(there.masked_select(down.eq(0)).eq(0).all().ToBoolean());
        Assert.InRange((there - down).abs().max().ToDouble(), 1e-6, down.abs().max().ToDouble() / 127);
    }

    private static async Task PruneStructuredAsync(PipelinesEngine engine, string model)
    {
        var run = await RunAsync(engine, "llama-prune-structured", [.. Texts(model), ("ratio", 0.3)]);

        var report = Report(run);
        Assert.True(report.Pruned.Parameters < 0.85 * report.Dense.Parameters);
        Assert.True(report.Pruned.Bytes < 0.85 * report.Dense.Bytes);
        Assert.True(Export(run).Manifest);
        var folder = await engine.Artifacts.OpenAsync(Export(run).Hash, Cancellation);
        using var exported = CausalFolder.Load(folder, CPU);
        Assert.Equal(report.Recovered!.Parameters, exported.ParameterCount());
    }

    private static (string Name, object Value)[] Texts(string model)
    {
        // A text that the exported tokenizer knows: the quickstart's own alphabet.
        var text = Path.Combine(Path.GetTempPath(), $"pipelines-text-{Guid.NewGuid():N}.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Range(0, 3000).Select(i => $"ba{"dnkt"[i * i % 4]}o ")));
        return
        [
            ("model", model), ("text", text), ("evaluation", text), ("length", 64), ("sequences", 8), ("steps", 2),
        ];
    }

    private static async Task<RunView> RunAsync(
        PipelinesEngine engine, string template, params (string Name, object Value)[] set)
    {
        var definition = WorkflowFile.Read(Path.Combine(Repository.Root, "workflows", "templates", $"{template}.json"));
        var values = set.ToDictionary(one => one.Name, one => JsonSerializer.SerializeToElement(one.Value));
        Assert.True(
            Plan.TryCreate(definition, ActivityCatalog.Create(), values, out var plan, out var errors),
            string.Join('\n', errors));
        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);
        Assert.True(
            run.State == RunState.Succeeded,
            string.Join('\n', run.Stages.Select(stage => $"{stage.Id}: {stage.State} {stage.Error}")));
        return run;
    }

    private static Comparison Report(RunView run) => Json.Read<Comparison>(run.Outputs["report"]);

    private static Export Export(RunView run) => Json.Read<Export>(run.Outputs["checkpoint"]);
}
