using System.Text.Json;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Groups;

/// <summary>The stages that take an image classifier in, decide what goes and cut it.</summary>
public sealed class ChannelPruneTests : IDisposable
{
    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Theory]
    [InlineData("l1", "full", "global", 0.5)]
    [InlineData("l2", "inner", "local", 0.4)]
    [InlineData("lamp", "full", "local", 0.7)]
    [InlineData("bnScale", "inner", "global", 0.3)]
    [InlineData("fpgm", "full", "global", 0.6)]
    [InlineData("random", "full", "global", 0.9)]
    public async Task Multiply_adds_fall_to_the_target_and_the_decision_says_how(string importance, string scope, string ranking, double ratio)
    {
        var model = await ModelAsync("cifar-resnet-a");

        var pruned = await stages.RunAsync("prune.channels", new { ratio, importance, scope, ranking }, ("model", model));

        // One channel more, or one of each site, would have been one too many.
        Assert.InRange(pruned.GetProperty("macs").GetDouble(), 1 - ratio - 0.07, 1 - ratio);
        using var network = VisionFolder.Load(await stages.OpenAsync(pruned.GetProperty("model")), CPU);
        Assert.Equal(pruned.GetProperty("kept").GetDouble(), network.ParameterCount() / 269_722.0, 1e-12);
        using var dense = VisionFolder.Load(await stages.OpenAsync(model), CPU);
        Assert.Equal(pruned.GetProperty("macs").GetDouble(), VisionFlops.Macs(network) / VisionFlops.Macs(dense), 1e-12);
        Assert.Equal(scope == "full", network.Widths[^1] == 10 && network.Sites().First(site => !site.Inner).Count < 16);

        var applied = await stages.RunAsync(
            "prune.apply", new { }, ("model", model), ("decision", pruned.GetProperty("decision")));
        Assert.Equal(pruned.GetProperty("model").ToString(), applied.GetProperty("model").ToString());
        Assert.Equal(pruned.GetProperty("kept").GetDouble(), applied.GetProperty("kept").GetDouble());
    }

    [Theory]
    [MemberData(nameof(TinyClassifiers.Names), MemberType = typeof(TinyClassifiers))]
    public void Every_architecture_meets_the_target_in_multiples(string name)
    {
        using var scope = NewDisposeScope();
        using var network = TinyClassifiers.Create(name);
        var dense = VisionFlops.Macs(network);

        var kept = ChannelPrune.Decide(network, null, new ChannelPrune.Parameters(0.5, RoundTo: 8));
        UnitCut.Keep([.. network.Sites().Zip(kept, (site, one) => ((UnitSite)site, one.Units))]);

        Assert.InRange(VisionFlops.Macs(network) / dense, 0.4, 0.5);
        Assert.All(kept, one => Assert.True(one.Units.Count == one.Of || one.Units.Count % 8 == 0, one.Name));
        using var ungraded = no_grad();
        Assert.True(network.Forward(TinyClassifiers.Images(network.Config)).isfinite().all().ToBoolean());
    }

    [Fact]
    public async Task Taylor_and_recalibration_look_at_images()
    {
        var model = await ModelAsync("cifar-resnet-b");
        var images = (await stages.RunAsync("data.synthetic-images", new { perClass = 3, evaluationPerClass = 1 })).GetProperty("images");

        var pruned = await PruneAsync(new { importance = "taylor", images = 20, batch = 8, recalibrate = true });
        var again = await PruneAsync(new { importance = "taylor", images = 20, batch = 8, recalibrate = true });
        var other = await PruneAsync(new { importance = "taylor", images = 20, batch = 8, seed = 1 });

        Assert.Equal(pruned.ToString(), again.ToString());
        Assert.NotEqual(pruned.GetProperty("decision").ToString(), other.GetProperty("decision").ToString());
        using var network = VisionFolder.Load(await stages.OpenAsync(pruned.GetProperty("model")), CPU);
        Assert.Equal(3, network["bn1.num_batches_tracked"].ToInt64());
        var refusal = await Assert.ThrowsAsync<StageException>(() => stages.RunAsync("prune.channels", new { importance = "taylor" }, ("model", model)));
        Assert.Contains("connect 'calibration'", refusal.Message, StringComparison.Ordinal);
        var small = (await stages.RunAsync("data.synthetic-images", new { perClass = 1, evaluationPerClass = 1, size = 16 })).GetProperty("images");
        refusal = await Assert.ThrowsAsync<StageException>(() => stages.RunAsync("prune.channels", new { recalibrate = true }, ("model", model), ("calibration", small)));
        Assert.Contains("are 3 × 16 × 16: CifarResNet takes 3 × 32 × 32", refusal.Message, StringComparison.Ordinal);

        Task<JsonElement> PruneAsync(object parameters) => stages.RunAsync("prune.channels", parameters, ("model", model), ("calibration", images));
    }

    [Fact]
    public async Task What_was_cut_is_cut_again()
    {
        var model = await ModelAsync("cifar-resnet-a");
        var once = await stages.RunAsync("prune.channels", new { ratio = 0.3 }, ("model", model));

        var twice = await stages.RunAsync("prune.channels", new { ratio = 0.3, scope = "inner" }, ("model", once.GetProperty("model")));

        Assert.InRange(twice.GetProperty("macs").GetDouble(), 0.65, 0.7);
        var wrong = await Assert.ThrowsAsync<StageException>(() => stages.RunAsync(
            "prune.apply", new { }, ("model", model), ("decision", twice.GetProperty("decision"))));
        Assert.Contains("decide on the model that is cut", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Targets_that_the_scope_cannot_meet_are_refused()
    {
        var model = await ModelAsync("resnet50");

        var refusal = await Assert.ThrowsAsync<StageException>(() => stages.RunAsync("prune.channels", new { ratio = 0.95, scope = "inner" }, ("model", model)));

        Assert.Contains("choose a lower ratio or a larger scope", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stages_of_one_family_refuse_models_of_the_other()
    {
        var classifier = await ModelAsync("cifar-resnet-a");
        var language = await stages.ModelAsync();
        var data = await stages.DataAsync();
        var decision = (await stages.RunAsync("prune.channels", new { }, ("model", classifier))).GetProperty("decision");

        await RefusesAsync("prune.llmpruner", "image classifier (CifarResNet): this stage works on language models", ("model", classifier));
        await RefusesAsync("calibrate.statistics", "image classifier (CifarResNet)", ("model", classifier), ("calibration", data));
        await RefusesAsync("evaluate.perplexity", "image classifier (CifarResNet)", ("model", classifier), ("data", data));
        await RefusesAsync("export.gguf", "image classifier (CifarResNet)", ("model", classifier));
        await RefusesAsync("prune.channels", "language model (LlamaForCausalLM): this stage works on image classifiers", ("model", language));
        await RefusesAsync("prune.apply", "decide on the model that is cut", ("model", language), ("decision", decision));

        async Task RefusesAsync(string kind, string reason, params (string Port, JsonElement Value)[] inputs)
        {
            var refusal = await Assert.ThrowsAsync<StageException>(() => stages.RunAsync(kind, new { }, inputs));
            Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_folder_that_is_taken_in_loses_nothing()
    {
        var model = await ModelAsync("mobilenet-v2");

        using var loaded = VisionFolder.Load(await stages.OpenAsync(model), CPU);
        using var network = TinyClassifiers.Create("mobilenet-v2");

        Assert.Equal("MobileNetV2", model.GetProperty("architecture").GetString());
        Assert.All(network.NamedParameters().Concat(network.NamedBuffers()), tensor => Assert.True(tensor.Tensor.Equals(loaded[tensor.Name]), tensor.Name));
    }

    private async Task<JsonElement> ModelAsync(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(stages.Folder, name)).FullName;
        using (var network = TinyClassifiers.Create(name))
            VisionFolder.Save(network, folder);
        return (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
    }
}
