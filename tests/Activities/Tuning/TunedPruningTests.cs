using System.Text.Json;
using Pipelines.Activities.Data;
using Pipelines.Activities.Tuning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Tuning;

/// <summary>The stages that train a classifier and prune it at once: what they cut was nothing, and they go on from any step.</summary>
public sealed class TunedPruningTests : IDisposable
{
    private const string Config = """{"architectures":["CifarResNet"],"depth":20,"image_size":8,"num_classes":2}""";

    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Theory]
    [InlineData(ChannelScope.Inner)]
    [InlineData(ChannelScope.Full)]
    public void What_ato_closed_can_be_cut_and_nothing_changes(ChannelScope channels)
    {
        using var scope = NewDisposeScope();
        using var network = Network();
        using var images = Images();
        using var training = new AtoTraining(
            network, images, new(Ratio: 0.4, Scope: channels, Steps: 20, Batch: 8, Every: 1, Pad: 1, HeldOut: 0.25));

        training.Run(StageFolder.Unkept, TestContext.Current.CancellationToken);

        AssertCutsNothing(network, () => training.Cut("model", "tune.ato", StageFolder.Unkept), 0.6);
    }

    [Theory]
    [InlineData(ChannelScope.Inner, "Sgd")]
    [InlineData(ChannelScope.Full, "Sgd")]
    [InlineData(ChannelScope.Full, "Adamw")]
    public void What_oto_found_redundant_can_be_cut_and_nothing_changes(ChannelScope channels, string optimizer)
    {
        using var scope = NewDisposeScope();
        using var network = Network();
        using var images = Images();
        using var training = new OtoTraining(network, images, new(
            Ratio: 0.4, Scope: channels, Steps: 16, Batch: 8, LearningRate: optimizer == "Sgd" ? 0.05 : 1e-3, Pad: 1,
            Optimizer: Enum.Parse<Pipelines.Activities.Classifying.OptimizerKind>(optimizer)));

        training.Run(StageFolder.Unkept, TestContext.Current.CancellationToken);

        AssertCutsNothing(network, () => training.Cut("model", "tune.oto", StageFolder.Unkept), 0.6);
    }

    [Fact]
    public void What_the_agent_does_not_choose_is_drawn_to_zero_and_cut()
    {
        using var scope = NewDisposeScope();
        using var network = Network();
        using var images = Images();
        using var training = new RlalTraining(network, images, new(
            Ratio: 0.4, Steps: 60, Batch: 8, LearningRate: 0.02, HeldOut: 0.25, End: 0.2, Rounds: 2, Episodes: 3, RandomEpisodes: 3,
            TimeUpdates: 2, Updates: 2, Calibration: 2, Alignment: 0.5, Pad: 1,
            Schedule: Pipelines.Activities.Modeling.RateSchedule.Constant));

        training.Run(StageFolder.Unkept, TestContext.Current.CancellationToken);
        var filters = network["layer1.0.conv1.weight"].detach().flatten(1).norm(1).data<float>().ToArray();
        var before = VisionFlops.Macs(network);
        var cut = training.Cut("model", "tune.rlal", StageFolder.Unkept);

        var kept = cut.Decision.Sites.Single(site => site.Name == "layer1.0.conv1").Units;
        Assert.True(kept.Average(unit => filters[unit]) > 2 * filters.Index().Where(one => !kept.Contains(one.Index)).Average(one => one.Item));
        Assert.Equal(cut.Macs, VisionFlops.Macs(network) / before, 1e-12);
        Assert.InRange(cut.Macs, 0.4, 0.6);
        Assert.InRange(training.Reward, 0, 1);
        Assert.All(cut.Decision.Sites, site => Assert.InRange(site.Units.Count, Math.Max(4, site.Of / 5), site.Of));
    }

    [Theory]
    [InlineData("tune.ato")]
    [InlineData("tune.oto")]
    [InlineData("tune.rlal")]
    public async Task One_that_died_at_any_step_ends_with_the_bits_of_one_that_did_not(string kind)
    {
        var (model, data) = (await ModelAsync(), await DataAsync());
        stages.Checkpoints = new KeptCheckpoints(Path.Combine(stages.Folder, "whole"));
        var undisturbed = await TuneAsync();

        foreach (var dies in new[] { 2, 4, 5, 7 })
        {
            var kept = Path.Combine(stages.Folder, $"dies-{dies}");
            stages.Checkpoints = new KeptCheckpoints(kept, dies);
            await Assert.ThrowsAsync<KeptCheckpoints.Died>(TuneAsync);
            stages.Checkpoints = new KeptCheckpoints(kept);

            Assert.Equal(undisturbed.GetRawText(), (await TuneAsync()).GetRawText());
            Assert.Equal(8, Directory.EnumerateDirectories(kept).Count());
        }

        Task<JsonElement> TuneAsync() => stages.RunAsync(kind, Small(kind), ("model", model), ("data", data));
    }

    [Theory]
    [InlineData("tune.ato")]
    [InlineData("tune.oto")]
    [InlineData("tune.rlal")]
    public async Task A_tuned_network_is_smaller_and_is_measured_like_any_other(string kind)
    {
        var (model, data) = (await ModelAsync(), await DataAsync());

        var tuned = await stages.RunAsync(kind, Small(kind), ("model", model), ("data", data));
        var again = await stages.RunAsync("prune.apply", new { }, ("model", model), ("decision", tuned.GetProperty("decision")));
        var dense = await stages.RunAsync("evaluate.accuracy", new { }, ("model", model), ("data", data));
        var measured = await stages.RunAsync("evaluate.accuracy", new { }, ("model", tuned.GetProperty("model")), ("data", data));

        Assert.InRange(tuned.GetProperty("macs").GetDouble(), 0.3, 0.6);
        Assert.Equal(tuned.GetProperty("kept").GetDouble(), again.GetProperty("kept").GetDouble());
        Assert.Equal(
            tuned.GetProperty("macs").GetDouble(), Macs(measured) / Macs(dense), 1e-9);
        static double Macs(JsonElement outputs) => outputs.GetProperty("scores").GetProperty("macs").GetDouble();
    }

    [Theory]
    [InlineData("tune.ato", "{\"ratio\":0.98}", "of the multiply-adds are left")]
    [InlineData("tune.ato", "{\"settle\":0.9}", "in this order")]
    [InlineData("tune.ato", "{\"steps\":8}", "trains the choice")]
    [InlineData("tune.ato", "{\"every\":1,\"heldOut\":0.01}", "expected some")]
    [InlineData("tune.oto", "{\"ratio\":0.98,\"scope\":\"inner\"}", "of the multiply-adds are left")]
    [InlineData("tune.oto", "{\"start\":0.5,\"closed\":0.5}", "expected some steps in between")]
    [InlineData("tune.rlal", "{\"ratio\":0.9}", "of the multiply-adds are left")]
    [InlineData("tune.rlal", "{\"steps\":20,\"rounds\":20}", "20 rounds in")]
    public async Task What_cannot_be_is_refused(string kind, string parameters, string said)
    {
        var (model, data) = (await ModelAsync(), await DataAsync());

        var error = await Assert.ThrowsAnyAsync<Exception>(
            () => stages.RunAsync(kind, JsonElement.Parse(parameters), ("model", model), ("data", data)));

        Assert.Contains(said, error.Message);
    }

    [Theory]
    [InlineData("tune.ato")]
    [InlineData("tune.oto")]
    [InlineData("tune.rlal")]
    public async Task Models_and_images_that_it_is_not_for_are_refused(string kind)
    {
        var larger = (await stages.RunAsync("data.synthetic-images", new { classes = 2, perClass = 8, evaluationPerClass = 1, size = 16 })).GetProperty("images");
        Assert.Contains("3 × 16 × 16", await RefusedAsync(await ModelAsync(), larger));
        Assert.Contains("language model", await RefusedAsync(await stages.ModelAsync(), await DataAsync()));

        async Task<string> RefusedAsync(JsonElement model, JsonElement data) =>
            (await Assert.ThrowsAsync<StageException>(() => stages.RunAsync(kind, Small(kind), ("model", model), ("data", data)))).Message;
    }

    [Fact]
    public void A_network_without_blocks_has_no_inner_channels()
    {
        using var scope = NewDisposeScope();
        var graph = new GraphBuilder(8);
        graph.Linear("fc", graph.Flatten("flatten", graph.GlobalAvgPool("mean", graph.Convolution("stem", graph.Image, 4, 3, padding: 1))), 2);
        using var network = VisionFolder.Create(new ImageConfig("Plain", graph.Build()), seed: 1);

        var error = Assert.Throws<StageException>(() => new ChannelGroups(network, ChannelScope.Inner));

        Assert.Contains("no channels of scope 'inner'", error.Message);
    }

    private static object Small(string kind) => kind switch
    {
        "tune.ato" => new { ratio = 0.4, steps = 8, batch = 4, every = 1, heldOut = 0.25, pad = 1 },
        "tune.oto" => new { ratio = 0.4, steps = 8, batch = 4, learningRate = 0.05, closed = 0.7, pad = 1, mixup = 0.2 },
        _ => new { ratio = 0.4, steps = 8, batch = 4, learningRate = 0.05, heldOut = 0.25, begin = 0.2, end = 0.7, rounds = 3, episodes = 2, randomEpisodes = 2, timeUpdates = 2, updates = 2, calibration = 1, alignment = 0.01, pad = 1 },
    };

    private static void AssertCutsNothing(ImageClassifier network, Func<PrunedResult> cut, double most)
    {
        var images = TinyClassifiers.Images(network.Config, 4);
        using var ungraded = no_grad();
        var expected = network.Forward(images);
        var before = VisionFlops.Macs(network);

        var result = cut();

        Assert.Equal(result.Macs, VisionFlops.Macs(network) / before, 1e-12);
        Assert.InRange(result.Macs, most - 0.1, most);
        Assert.True(expected.isfinite().all().ToBoolean());
        Assert.InRange((network.Forward(images) - expected).abs().max().ToDouble(), 0, 1e-5 * Math.Max(1, expected.abs().max().ToDouble()));
    }

    private static ImageClassifier Network()
    {
        using var made = VisionFolder.Create(TinyClassifiers.Parse(Config), seed: 3);
        var folder = Directory.CreateTempSubdirectory("pipelines-tuned-").FullName;
        try
        {
            VisionFolder.Save(made, folder);
            return VisionFolder.Load(folder, CPU);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ImageSet Images() => SyntheticImages.Make("images", 16, new(Classes: 2, Size: 8), 0);

    private async Task<JsonElement> ModelAsync()
    {
        var folder = Path.Combine(stages.Folder, "network");
        Directory.CreateDirectory(folder);
        using (var network = Network())
            VisionFolder.Save(network, folder);
        return (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
    }

    private async Task<JsonElement> DataAsync() => (await stages.RunAsync(
        "data.synthetic-images", new { classes = 2, perClass = 16, evaluationPerClass = 1, size = 8 })).GetProperty("images");
}
