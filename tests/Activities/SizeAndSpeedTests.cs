using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Activities.Evaluation;
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
        foreach (var spread in new[] { speed.Prefill.Dense, speed.Prefill.Ratio, speed.Decode.Pruned, speed.Decode.Ratio })
            Assert.True(0 < spread.Lowest && spread.Lowest <= spread.Median && spread.Median <= spread.Highest);
    }

    [Fact]
    public void Ratios_are_of_the_same_round()
    {
        // Two slow rounds befall both: the medians of the speeds alone would say something else.
        var pair = SpeedFigures.Compare([1, 4, 8, 1], [0.5, 2, 2, 0.5], tokens: 8);

        Assert.Equal(new Spread(2, 2, 4), pair.Ratio);
        Assert.Equal(new Spread((2 + 8) / 2.0, 1, 8), pair.Dense);
        Assert.Equal(new Spread((4 + 16) / 2.0, 4, 16), pair.Pruned);
    }

    private async Task<ModelSize> SizeAsync(JsonElement model, JsonElement? dense = null) => Json.Read<ModelSize>((await stages.RunAsync(
        "evaluate.size", new { length = 8 }, [("model", model), .. dense is { } given ? [("dense", given)] : Array.Empty<(string, JsonElement)>()]))
        .GetProperty("size"));
}
