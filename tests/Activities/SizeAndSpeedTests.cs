using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Activities.Evaluation;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Activities;

/// <summary>What is counted and timed besides quality.</summary>
public sealed class SizeAndSpeedTests : IDisposable
{
    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Fact]
    public async Task Size_tells_block_by_block_what_is_left()
    {
        var model = await stages.ModelAsync();
        var pruned = (await stages.RunAsync("prune.llmpruner", new { ratio = 0.5, importance = "l2", keepFirst = 1 }, ("model", model))).GetProperty("model");

        var dense = await SizeAsync(model);
        var size = await SizeAsync(pruned, model);

        // 16 wide: q 16 · 16, k and v 8 · 16, o 16 · 16; three of 24 · 16; two norms of 16.
        Assert.Equal(768 + 1152 + 32, dense.Blocks[0].Parameters);
        Assert.Equal(dense.Blocks[0], size.Blocks[0]);
        Assert.Equal(new BlockWidths(2, 1, 4, 4, 12), size.Blocks[1].Widths);
        Assert.Equal(384 + 576 + 32, size.Blocks[1].Parameters);
        Assert.Equal([new BlockWidths(4, 2, 4, 4, 24), new BlockWidths(4, 2, 4, 4, 24)], size.Dense!);
        Assert.Null(dense.Dense);
        Assert.Equal(dense.Parameters - 960, size.Parameters);
        Assert.True(size.Bytes < dense.Bytes);

        // Two for each weight, and four heads of 4 with the mean of 1 to 8 keys, twice (scores and values).
        Assert.Equal(2 * 1920 + 2 * 4 * (4 + 4) * 4.5, dense.Blocks[0].Flops);
        Assert.Equal("flops-1", size.Convention);
    }

    [Fact]
    public async Task Size_counts_zeros_apart()
    {
        var pruned = await stages.RunAsync("prune.magnitude", new { sparsity = 0.5, cut = "exact" }, ("model", await stages.ModelAsync()));

        var size = await SizeAsync(pruned.GetProperty("model"));

        Assert.Equal(1920 / 2 + 32, size.Blocks[0].Nonzero);
        Assert.Equal(size.Parameters - 1920, size.Nonzero);
    }

    [Fact]
    public async Task Speed_names_what_was_run_and_gives_the_spread()
    {
        var model = await stages.ModelAsync();

        var speed = Json.Read<SpeedComparison>((await stages.RunAsync(
            "evaluate.speed", new { prompt = 8, generated = 4, batch = 2, rounds = 3, warmUp = 1 },
            ("dense", model), ("pruned", model))).GetProperty("speed"));

        Assert.StartsWith("speed-1:prompt=8:generated=4:batch=2:rounds=3:warmup=1:device=cpu:threads=", speed.Protocol, StringComparison.Ordinal);
        Assert.True(speed.Threads > 0);
        Assert.Null(speed.Images);
        AssertSpreads(speed.Prefill!.Dense, speed.Prefill.Ratio, speed.Decode!.Pruned, speed.Decode.Ratio);
    }

    [Fact]
    public async Task Latency_names_what_was_run_and_gives_the_spread()
    {
        var speed = await LatencyAsync(await ClassifierAsync(), await ClassifierAsync("cifar-resnet-b"), new { batch = 2, passes = 2, rounds = 3, warmUp = 1 });

        Assert.StartsWith("latency-1:images=2x3x32x32:passes=2:rounds=3:warmup=1:device=cpu:threads=", speed.Protocol, StringComparison.Ordinal);
        Assert.Null(speed.Prefill);
        Assert.Null(speed.Decode);
        AssertSpreads(speed.Images!.Dense, speed.Images.Pruned, speed.Images.Ratio, speed.Batch!.Dense, speed.Batch.Pruned);
        // Of three rounds the middle one is in the middle both ways.
        Assert.Equal(2 / speed.Batch.Dense.Median, speed.Images.Dense.Median, 9);
        Assert.Equal(2 / speed.Batch.Pruned.Highest, speed.Images.Pruned.Lowest, 9);
    }

    [Fact]
    public async Task Refuses_two_models_that_nothing_can_be_done_with_alike()
    {
        var (language, small, large) = (await stages.ModelAsync(), await ClassifierAsync(), await ClassifierAsync("resnet18"));

        Assert.Equal(
            "dense is an image classifier (CifarResNet), pruned a language model (LlamaForCausalLM): there is nothing that both could be timed at",
            await RefusalAsync("evaluate.latency", small, language));
        Assert.Equal(
            "dense is a language model (LlamaForCausalLM), pruned an image classifier (CifarResNet): there is nothing that both could be timed at",
            await RefusalAsync("evaluate.speed", language, small));
        Assert.Equal(
            "the model is a language model (LlamaForCausalLM): this stage works on image classifiers",
            await RefusalAsync("evaluate.latency", language, language));
        Assert.Equal(
            "dense takes images of 32 × 32, pruned of 64 × 64: only the same work can be compared",
            await RefusalAsync("evaluate.latency", small, large));
    }

    [Fact]
    public void Which_goes_first_changes_with_every_round_and_warming_up_does_not_count()
    {
        var (calls, clock) = (new List<int>(), 0);

        var (dense, pruned) = new SpeedTurns(WarmUp: 1, Rounds: 3).Run(
            model =>
            {
                calls.Add(model);
                return clock++;
            },
            (_, _, _, _) => { }, TestContext.Current.CancellationToken);

        Assert.Equal([0, 1, 1, 0, 0, 1, 1, 0], calls);
        Assert.Equal([3, 4, 7], dense);
        Assert.Equal([2, 5, 6], pruned);
    }

    [Fact]
    public void Ratios_are_of_the_same_round()
    {
        // Two slow rounds befall both: the medians of the speeds alone would say something else.
        var pair = SpeedFigures.Compare([1, 4, 8, 1], [0.5, 2, 2, 0.5], count: 8);

        Assert.Equal(new Spread(2, 2, 4), pair.Ratio);
        Assert.Equal(new Spread((2 + 8) / 2.0, 1, 8), pair.Dense);
        Assert.Equal(new Spread((4 + 16) / 2.0, 4, 16), pair.Pruned);
    }

    private static void AssertSpreads(params Spread[] spreads) => Assert.All(
        spreads, spread => Assert.True(0 < spread.Lowest && spread.Lowest <= spread.Median && spread.Median <= spread.Highest));

    private async Task<JsonElement> ClassifierAsync(string name = "cifar-resnet-a")
    {
        var folder = Directory.CreateDirectory(Path.Combine(stages.Folder, name)).FullName;
        using (var network = TinyClassifiers.Create(name))
            VisionFolder.Save(network, folder);
        return (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
    }

    private async Task<SpeedComparison> LatencyAsync(JsonElement dense, JsonElement pruned, object parameters) => Json.Read<SpeedComparison>(
        (await stages.RunAsync("evaluate.latency", parameters, ("dense", dense), ("pruned", pruned))).GetProperty("speed"));

    private async Task<string> RefusalAsync(string kind, JsonElement dense, JsonElement pruned) =>
        (await Assert.ThrowsAsync<StageException>(() => stages.RunAsync(kind, new { rounds = 1 }, ("dense", dense), ("pruned", pruned)))).Message;

    private async Task<ModelSize> SizeAsync(JsonElement model, JsonElement? dense = null) => Json.Read<ModelSize>((await stages.RunAsync(
        "evaluate.size", new { length = 8 }, [("model", model), .. dense is { } given ? [("dense", given)] : Array.Empty<(string, JsonElement)>()]))
        .GetProperty("size"));
}
