using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Activities.Data;
using Pipelines.Activities.Explaining;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Explaining;

/// <summary>Explainers are trained, networks pruned and compared by them: from any step on, to a budget, and not of others.</summary>
public sealed class ExplanationStageTests : IDisposable
{
    private const string Config = """{"architectures":["CifarResNet"],"depth":8,"image_size":8,"num_classes":2}""";

    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Theory]
    [InlineData("explain.train")]
    [InlineData("prune.isp")]
    public async Task One_that_died_at_any_step_ends_with_the_bits_of_one_that_did_not(string kind)
    {
        var (model, data) = (await ModelAsync(), await DataAsync());
        var explainer = kind == "prune.isp" ? await ExplainerAsync(model, data) : default;
        stages.Checkpoints = new KeptCheckpoints(Path.Combine(stages.Folder, "whole"));
        var undisturbed = await RunAsync();

        foreach (var dies in new[] { 2, 4, 7 })
        {
            var kept = Path.Combine(stages.Folder, $"dies-{dies}");
            stages.Checkpoints = new KeptCheckpoints(kept, dies);
            await Assert.ThrowsAsync<KeptCheckpoints.Died>(RunAsync);
            stages.Checkpoints = new KeptCheckpoints(kept);

            Assert.Equal(undisturbed.GetRawText(), (await RunAsync()).GetRawText());
            Assert.Equal(8, Directory.EnumerateDirectories(kept).Count());
        }

        Task<JsonElement> RunAsync() => kind == "prune.isp"
            ? stages.RunAsync(kind, Pruning, ("model", model), ("explainer", explainer), ("data", data))
            : stages.RunAsync(kind, Training, ("model", model), ("data", data));
    }

    [Fact]
    public async Task The_same_seed_makes_the_same_explainer_and_another_one_another()
    {
        var (model, data) = (await ModelAsync(), await DataAsync());

        var first = await ExplainerAsync(model, data);
        var again = await ExplainerAsync(model, data);
        var other = await stages.RunAsync("explain.train", new { predictorSteps = 4, selectorSteps = 4, batch = 4, pad = 1, seed = 1 }, ("model", model), ("data", data));
        var anew = await stages.RunAsync("explain.train", new { predictorSteps = 4, selectorSteps = 4, batch = 4, pad = 1, fromModel = false }, ("model", model), ("data", data));

        Assert.Equal(first.GetRawText(), again.GetRawText());
        Assert.InRange(other.GetProperty("shown").GetDouble(), 0.2, 0.8);
        Assert.Equal(3, new[] { first, other.GetProperty("explainer"), anew.GetProperty("explainer") }.Select(one => one.GetRawText()).Distinct().Count());
    }

    [Theory]
    [InlineData("inner", false)]
    [InlineData("inner", true)]
    [InlineData("full", true)]
    public async Task A_budget_is_met_and_the_decision_is_what_was_cut(string scope, bool recalibrate)
    {
        var (model, data) = (await ModelAsync(), await DataAsync());
        var explainer = await ExplainerAsync(model, data);

        var pruned = await stages.RunAsync(
            "prune.isp", new { ratio = 0.4, scope, steps = 6, batch = 4, images = 12, labels = 0.5, recalibrate },
            ("model", model), ("explainer", explainer), ("data", data));
        var decision = pruned.GetProperty("decision");
        var again = await stages.RunAsync("prune.apply", new { }, ("model", model), ("decision", decision));
        var compared = await stages.RunAsync(
            "evaluate.explanations", new { },
            ("dense", model), ("pruned", pruned.GetProperty("model")), ("data", data), ("explainer", explainer), ("decision", decision));

        Assert.InRange(pruned.GetProperty("macs").GetDouble(), 0.55, 0.6);
        Assert.Equal(pruned.GetProperty("kept").GetDouble(), again.GetProperty("kept").GetDouble());
        Assert.Equal(recalibrate, pruned.GetProperty("model").GetRawText() != again.GetProperty("model").GetRawText());
        var similarity = Json.Read<ExplanationSimilarity>(compared.GetProperty("similarity"));
        Assert.InRange(similarity.Cosine, 0, 0.9999);
        Assert.InRange(similarity.Radial!.Cosine, 0.01, 0.999999);
        Assert.True(similarity.Radial.Distance > 1e-4);
        using var network = VisionFolder.Load(await stages.OpenAsync(pruned.GetProperty("model")), CPU);
        using var dense = VisionFolder.Load(await stages.OpenAsync(model), CPU);
        Assert.Equal(pruned.GetProperty("macs").GetDouble(), VisionFlops.Macs(network) / VisionFlops.Macs(dense), 1e-12);
        Assert.Equal(scope == "inner", network["conv1.weight"].shape[0] == 16);
    }

    [Fact]
    public void Channels_that_do_nothing_are_those_that_go()
    {
        using var scope = NewDisposeScope();
        using var network = VisionFolder.Create(TinyClassifiers.Parse(Config), seed: 3);
        foreach (var site in network.Sites(ChannelScope.Inner))
            site.Zero([.. Enumerable.Range(0, site.Count).Where(unit => unit % 2 == 0)]);
        var maps = new FeatureMaps(network.Graph);
        using var explained = new ExplainedNetwork(Selector.Create(network, maps, new Generator(2)), maps);
        using var images = SyntheticImages.Make("images", 16, new(Classes: 2, Size: 8), 0, null, TestContext.Current.CancellationToken);
        var size = new Pipelines.Activities.Tuning.ChannelSize(network, network.Sites(ChannelScope.Inner));
        var parameters = new IspPrune.Parameters(Ratio: 0.5 * size.Prunable / size.Whole, Steps: 300, Batch: 8, Explanation: 1e6);
        using var training = new IspTraining(network, explained, images, parameters, TestContext.Current.CancellationToken);

        training.Run(StageFolder.Unkept, TestContext.Current.CancellationToken);
        var kept = training.Cut("model", "prune.isp", StageFolder.Unkept).Decision.Sites.SelectMany(site => site.Units).ToArray();

        Assert.InRange((double)kept.Count(unit => unit % 2 == 1) / kept.Length, 0.95, 1);
    }

    [Fact]
    public async Task A_network_explains_itself_alike_and_an_answer_of_its_own_otherwise()
    {
        var (model, data) = (await ModelAsync(), await DataAsync());
        var explainer = await ExplainerAsync(model, data);

        var same = await SimilarityAsync(new { }, model);
        var sampled = await SimilarityAsync(new { images = 7, samples = 2, pool = 2 }, model);
        var pruned = await stages.RunAsync("prune.channels", new { ratio = 0.3, scope = "inner" }, ("model", model));
        var other = await SimilarityAsync(new { batch = 3 }, pruned.GetProperty("model"), pruned.GetProperty("decision"));
        var together = await SimilarityAsync(new { }, pruned.GetProperty("model"), pruned.GetProperty("decision"));

        Assert.Equal(32, same.Images);
        Assert.All([same.Same, same.Cosine, same.Spearman, same.Overlap, same.Radial!.Cosine, same.Radial.Overlap], share => Assert.Equal(1, share, 1e-9));
        Assert.Equal(0, same.Radial.Distance);
        Assert.Contains(":count=32:class=dense:map=gradient:pool=4:top=0.2", same.Protocol);
        Assert.Contains(":count=7-0:class=dense:map=gradient:smooth=2x0.15-0:pool=2", sampled.Protocol);
        Assert.StartsWith("radial-1:explainer=", same.Radial.Protocol);
        Assert.InRange(other.Cosine, 0, 0.999);
        Assert.Equal(other.Protocol, same.Protocol);
        Assert.Equal(other.Cosine, together.Cosine, 1e-4);
        Assert.Equal(other.Radial!.Distance, together.Radial!.Distance, 1e-4);

        async Task<ExplanationSimilarity> SimilarityAsync(object parameters, JsonElement network, JsonElement decision = default) => Json.Read<ExplanationSimilarity>(
            (await stages.RunAsync(
                "evaluate.explanations", parameters,
                [("dense", model), ("pruned", network), ("data", data), ("explainer", explainer), .. decision.ValueKind == JsonValueKind.Undefined ? [] : new[] { ("decision", decision) }])).GetProperty("similarity"));
    }

    [Fact]
    public async Task What_does_not_belong_together_is_refused()
    {
        var (model, data) = (await ModelAsync(), await DataAsync());
        var other = await ModelAsync(seed: 4);
        var explainer = await ExplainerAsync(model, data);
        var larger = (await stages.RunAsync("data.synthetic-images", new { classes = 2, perClass = 8, evaluationPerClass = 1, size = 16 })).GetProperty("images");
        var pruned = await stages.RunAsync("prune.channels", new { ratio = 0.3, scope = "inner" }, ("model", model));
        var (narrow, decision) = (pruned.GetProperty("model"), pruned.GetProperty("decision"));

        Assert.Contains("3 × 16 × 16", await RefusedAsync("explain.train", Training, ("model", model), ("data", larger)));
        Assert.Contains("language model", await RefusedAsync("explain.train", Training, ("model", await stages.ModelAsync()), ("data", data)));
        Assert.Contains("narrowest 12 is above", await RefusedAsync("explain.train", new { narrowest = 12 }, ("model", model), ("data", data)));
        Assert.Contains("explainer was trained for model", await RefusedAsync("prune.isp", Pruning, ("model", other), ("explainer", explainer), ("data", data)));
        Assert.Contains("3 × 16 × 16", await RefusedAsync("prune.isp", Pruning, ("model", model), ("explainer", explainer), ("data", larger)));
        Assert.Contains("of the multiply-adds are left", await RefusedAsync("prune.isp", new { ratio = 0.99 }, ("model", model), ("explainer", explainer), ("data", data)));
        Assert.Contains("connect the 'decision'", await CompareAsync(("pruned", narrow), ("explainer", explainer)));
        Assert.Contains("connect 'explainer'", await CompareAsync(("pruned", narrow), ("decision", decision)));
        Assert.Contains("the decision leaves", await CompareAsync(("pruned", model), ("explainer", explainer), ("decision", decision)));
        Assert.Contains("pool 9", await RefusedAsync("evaluate.explanations", new { pool = 9 }, ("dense", model), ("pruned", narrow), ("data", data)));
        Assert.Contains("there is nothing to compare", await CompareAsync(("pruned", await ModelAsync(classes: 3))));
        Assert.Contains("not made as the dense one", await CompareAsync(("pruned", await ModelAsync(depth: 14)), ("explainer", explainer)));
        Assert.Contains("no number", await CompareAsync(("pruned", await ModelAsync(broken: true))));

        Task<string> CompareAsync(params (string, JsonElement)[] inputs) =>
            RefusedAsync("evaluate.explanations", new { }, [("dense", model), ("data", data), .. inputs]);
    }

    private static object Training => new { predictorSteps = 4, selectorSteps = 4, batch = 4, pad = 1 };

    private static object Pruning => new { ratio = 0.4, steps = 8, batch = 4, images = 16, gates = "network" };

    private async Task<string> RefusedAsync(string kind, object parameters, params (string, JsonElement)[] inputs) =>
        (await Assert.ThrowsAnyAsync<Exception>(() => stages.RunAsync(kind, parameters, inputs))).Message;

    private async Task<JsonElement> ExplainerAsync(JsonElement model, JsonElement data) =>
        (await stages.RunAsync("explain.train", Training, ("model", model), ("data", data))).GetProperty("explainer");

    private async Task<JsonElement> ModelAsync(int seed = 3, int classes = 2, int depth = 8, bool broken = false)
    {
        var folder = Directory.CreateDirectory(Path.Combine(stages.Folder, $"network-{seed}-{classes}-{depth}-{broken}")).FullName;
        var config = TinyClassifiers.Parse(Config.Replace("\"num_classes\":2", $"\"num_classes\":{classes}").Replace("\"depth\":8", $"\"depth\":{depth}"));
        using (var network = TinyClassifiers.Moved(VisionFolder.Create(config, seed)))
        {
            if (broken)
                network["linear.bias"].fill_(double.NaN);
            VisionFolder.Save(network, folder);
        }

        return (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
    }

    private async Task<JsonElement> DataAsync() => (await stages.RunAsync(
        "data.synthetic-images", new { classes = 2, perClass = 16, evaluationPerClass = 1, size = 8 })).GetProperty("images");
}
