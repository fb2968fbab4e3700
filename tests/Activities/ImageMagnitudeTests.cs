using System.Text.Json;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>Zeroing by magnitude on image networks, and what makes rounds of it: remaining shares, floors, indices, rewinding.</summary>
public sealed class ImageMagnitudeTests : IDisposable
{
    private readonly StageFolder stages = new();

    public static TheoryData<string> Networks => [.. new[] { "cifar-resnet-a", "vgg16", "mobilenet-v2" }];

    public void Dispose() => stages.Dispose();

    [Theory]
    [MemberData(nameof(Networks))]
    public async Task One_ranking_over_all_convolutions_zeroes_the_share_that_was_asked_for(string name)
    {
        var made = await stages.RunAsync(
            "prune.magnitude", new { sparsity = 0.9, scope = "global", cut = "exact", layers = "convolutions" }, ("model", await NetworkAsync(name)));

        using var before = TinyClassifiers.Create(name);
        using var after = VisionFolder.Load(await stages.OpenAsync(made.GetProperty("model")), CPU);
        var weights = PrunableModel.Of(after, PrunedLayers.Convolutions);
        var (zeros, all) = (weights.Sum(PrunableModel.Zeros), weights.Sum(weight => weight.Value.numel()));
        Assert.Equal((long)(all * 0.9), zeros);
        Assert.Equal((double)zeros / all, made.GetProperty("sparsity").GetDouble());
        Assert.All(
            before.NamedParameters().Where(one => weights.All(weight => weight.Name != one.Name)),
            one => Assert.True(one.Tensor.equal(after[one.Name]).all().ToBoolean(), one.Name));

        // All that went is below all that stayed.
        using var scope = NewDisposeScope();
        var gone = weights.Max(weight => before[weight.Name].abs().mul(weight.Value.eq(0)).max().ToDouble());
        var left = weights.Min(weight => weight.Value.abs().masked_fill(weight.Value.eq(0), 1e9).min().ToDouble());
        Assert.True(gone <= left);
    }

    [Fact]
    public async Task A_share_of_what_remains_goes_round_after_round()
    {
        var model = await NetworkAsync("cifar-resnet-a");
        var sizes = 270_896.0;
        foreach (var expected in new[] { 0.8, 0.64, 0.512 })
        {
            var made = await stages.RunAsync(
                "prune.magnitude", new { sparsity = 0.2, scope = "global", cut = "exact", of = "remaining" }, ("model", model));
            model = made.GetProperty("model");
            Assert.InRange(Math.Abs(1 - made.GetProperty("sparsity").GetDouble() - expected) * sizes, 0, 2);
        }
    }

    [Fact]
    public async Task Rewinding_puts_the_early_weights_back_where_the_mask_has_none()
    {
        var (early, late) = (await NetworkAsync("cifar-resnet-a"), await NetworkAsync("cifar-resnet-a", by: 1.5));
        var pruned = (await stages.RunAsync("prune.magnitude", new { sparsity = 0.6, cut = "exact" }, ("model", late))).GetProperty("model");

        var ticket = (await stages.RunAsync("prune.rewind", new { }, ("model", pruned), ("early", early))).GetProperty("model");

        using var first = await LoadAsync(early);
        using var masked = await LoadAsync(pruned);
        using var result = await LoadAsync(ticket);
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in result.NamedParameters().Concat(result.NamedBuffers()))
        {
            var expected = tensor.ndim > 1 ? first[name] * masked[name].ne(0) : first[name];
            Assert.True(tensor.eq(expected).all().ToBoolean(), name);
        }
    }

    [Fact]
    public async Task Rewinding_refuses_another_model()
    {
        var (resnet, vgg) = (await NetworkAsync("cifar-resnet-a"), await NetworkAsync("vgg16"));
        var cut = await stages.RunAsync("model.load", new { path = Cut() });

        Assert.Contains("expected an earlier state", await RefusedAsync("prune.rewind", new { }, ("model", resnet), ("early", vgg)));
        Assert.Contains("no early weights", await RefusedAsync("prune.rewind", new { }, ("model", cut.GetProperty("model")), ("early", resnet)));
    }

    [Fact]
    public async Task What_makes_no_sense_together_is_refused()
    {
        var model = await NetworkAsync("cifar-resnet-a");

        Assert.Contains("patterns are for", await RefusedAsync("prune.magnitude", new { pattern = "2:4" }, ("model", model)));
        Assert.Contains("global scope", await RefusedAsync("prune.magnitude", new { floor = 0.01 }, ("model", model)));
        Assert.Contains("no say", await RefusedAsync("prune.magnitude", new { pattern = "2:4", of = "remaining" }, ("model", model)));
        Assert.Contains("p below q", await RefusedAsync("prune.sap", new { p = 1, q = 0.5 }, ("model", model)));
    }

    [Fact]
    public async Task A_floor_keeps_each_layer_from_being_emptied()
    {
        var model = await NetworkAsync("cifar-resnet-a");
        var made = await stages.RunAsync("prune.magnitude", new { sparsity = 0.98, scope = "global", floor = 0.0005 }, ("model", model));

        using var network = await LoadAsync(made.GetProperty("model"));
        var weights = PrunableModel.Of(network, PrunedLayers.All);
        var all = weights.Sum(weight => weight.Value.numel());
        Assert.Equal((long)(all * 0.98), weights.Sum(PrunableModel.Zeros));
        Assert.All(weights, weight => Assert.True(
            weight.Value.numel() - PrunableModel.Zeros(weight) >= Math.Min(weight.Value.numel(), (long)(all * 0.0005)), weight.Name));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("opt")]
    public async Task Language_models_have_the_floor_the_rounds_and_the_rewinding_too(string architecture)
    {
        var (early, late) = (await stages.ModelAsync(seed: 3, architecture), await stages.ModelAsync(seed: 4, architecture));
        var floor = await stages.RunAsync("prune.magnitude", new { sparsity = 0.9, scope = "global", floor = 0.002 }, ("model", late));
        var round = await stages.RunAsync("prune.magnitude", new { sparsity = 0.5, of = "remaining", cut = "exact" }, ("model", floor.GetProperty("model")));
        var adaptive = await stages.RunAsync("prune.sap", new { scope = "row" }, ("model", floor.GetProperty("model")));
        var ticket = await stages.RunAsync("prune.rewind", new { }, ("model", round.GetProperty("model")), ("early", early));

        Assert.Equal(0.9, floor.GetProperty("sparsity").GetDouble(), 2);
        Assert.Equal(0.95, round.GetProperty("sparsity").GetDouble(), 2);
        Assert.InRange(adaptive.GetProperty("sparsity").GetDouble(), floor.GetProperty("sparsity").GetDouble(), 1);
        Assert.Equal(round.GetProperty("sparsity").GetDouble(), ticket.GetProperty("sparsity").GetDouble(), 12);
        using var first = await stages.LoadAsync(early);
        using var masked = await stages.LoadAsync(round.GetProperty("model"));
        using var rewound = await stages.LoadAsync(ticket.GetProperty("model"));
        using var scope = NewDisposeScope();
        foreach (var ((before, mask), now) in first.Linears().Zip(masked.Linears()).Zip(rewound.Linears()))
            Assert.True(now.Weight.eq(before.Weight * mask.Weight.ne(0)).all().ToBoolean(), now.Name);
    }

    [Fact]
    public void Floors_are_worked_out_as_by_hand()
    {
        // Nothing falls below the floor: as it was.
        Assert.Equal([60, 20], LayerFloor.Counts([100, 100], [60, 20], 10));

        // 95 is cut to 90, and the 5 go to the others by what they lose: 40 and 60 more of 100.
        Assert.Equal([90, 42, 63], LayerFloor.Counts([100, 200, 300], [95, 40, 60], 10));

        // A layer smaller than the floor stays whole; its 4 go to the next, which that fills, so the last takes the rest.
        Assert.Equal([0, 90, 15], LayerFloor.Counts([8, 100, 300], [4, 89, 12], 10));

        // Only a layer that the ranking spared is left to give.
        Assert.Equal([90, 5], LayerFloor.Counts([100, 50], [95, 0], 10));
        Assert.Contains("only 130 can go", Assert.Throws<StageException>(() => LayerFloor.Counts([100, 50], [95, 40], 10)).Message);
    }

    [Fact]
    public void The_index_is_0_for_equals_and_grows_as_one_makes_up_the_whole()
    {
        var index = new PqIndex(0.5, 1);

        Assert.Equal(0, index.Of([3, -3, 3, 3]), 12);
        Assert.Equal(0.75, index.Of([0, 0, 5, 0]), 12);

        // (2 + 1 + 1 + 0)² = 16 over 6, and a quarter of that.
        Assert.Equal(1 / 3.0, index.Of([4, -1, 1, 0]), 12);
        Assert.Equal(index.Of([4, -1, 1, 0]), index.Of([4e30f, -1e30f, 1e30f, 0]), 6);
        Assert.Equal(0, index.Of([]));
        Assert.Equal(1 - Math.Pow(2, 0.5 - 1) * 4 / Math.Sqrt(10), new PqIndex(1, 2).Of([3, 1]), 12);
    }

    [Theory]
    [InlineData(4, 1 / 3.0, 0, 1, 0.9, 1)]
    [InlineData(100, 0.5, 0, 1, 0.9, 50)]
    [InlineData(100, 0.5, 0, 1, 0.3, 30)]
    [InlineData(100, 0.5, 0, 0.5, 0.9, 25)]
    [InlineData(100, 0.5, 1, 1, 0.9, 87)]
    [InlineData(100, 0, 0, 1, 0.9, 0)]
    [InlineData(0, 0, 0, 1, 0.9, 0)]
    public void What_can_go_follows_from_the_index(long count, double index, double tolerance, double pace, double most, long expected) =>
        Assert.Equal(expected, new PqIndex(0.5, 1).Removable(count, index, tolerance, pace, most));

    [Fact]
    public void Rows_lose_as_many_as_their_own_index_says()
    {
        using var scope = NewDisposeScope();
        var magnitudes = tensor(new float[] { 4, 1, 1.5f, 0, 2, 2, 2, 2 }).view(2, 4);

        // The first has three left, of an index of 1 − (2 + 1 + 1.2247)² / (3 · 6.5) = 0.0846: none of three can go.
        // With a tolerance of 1: r = ⌈3 · ¼ · 0.915⌉ = 1, and two go.
        var none = SapPrune.Mask(new PqIndex(0.5, 1), magnitudes, new SapPrune.Parameters());
        var some = SapPrune.Mask(new PqIndex(0.5, 1), magnitudes.narrow(0, 0, 1), new SapPrune.Parameters(Tolerance: 1));

        Assert.Equal([false, false, false, true, false, false, false, false], none.data<bool>().ToArray());
        Assert.Equal([false, true, true, true], some.data<bool>().ToArray());
    }

    [Theory]
    [InlineData("global")]
    [InlineData("layer")]
    [InlineData("row")]
    public async Task Rounds_of_sap_remove_and_never_bring_back(string scope)
    {
        var first = await stages.RunAsync("prune.sap", new { scope }, ("model", await NetworkAsync("cifar-resnet-a")));
        var second = await stages.RunAsync("prune.sap", new { scope }, ("model", first.GetProperty("model")));

        Assert.InRange(first.GetProperty("removed").GetDouble(), 0.05, 0.9);
        Assert.Equal(first.GetProperty("removed").GetDouble(), first.GetProperty("sparsity").GetDouble(), 6);
        Assert.True(second.GetProperty("sparsity").GetDouble() > first.GetProperty("sparsity").GetDouble());
        Assert.True(second.GetProperty("index").GetDouble() < first.GetProperty("index").GetDouble(), "what is left is more equal");
        using var before = await LoadAsync(first.GetProperty("model"));
        using var after = await LoadAsync(second.GetProperty("model"));
        using var inner = NewDisposeScope();
        foreach (var weight in PrunableModel.Of(before, PrunedLayers.All))
            Assert.True(after[weight.Name].masked_select(weight.Value.eq(0)).eq(0).all().ToBoolean(), weight.Name);
    }

    private async Task<JsonElement> NetworkAsync(string name, double by = 1)
    {
        var folder = Directory.CreateDirectory(Path.Combine(stages.Folder, $"{name}-{by}")).FullName;
        using (var network = TinyClassifiers.Create(name))
        using (NewDisposeScope())
        using (no_grad())
        {
            foreach (var (_, tensor) in network.NamedParameters())
                tensor.mul_(by);
            VisionFolder.Save(network, folder);
        }

        return (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
    }

    private string Cut()
    {
        var folder = Directory.CreateDirectory(Path.Combine(stages.Folder, "cut")).FullName;
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        using (no_grad())
            network.Sites(ChannelScope.Inner)[0].Keep([0, 1, 2]);
        VisionFolder.Save(network, folder);
        return folder;
    }

    private async Task<ImageClassifier> LoadAsync(JsonElement checkpoint) => VisionFolder.Load(await stages.OpenAsync(checkpoint), CPU);

    private async Task<string> RefusedAsync(string kind, object parameters, params (string Port, JsonElement Value)[] inputs) =>
        (await Assert.ThrowsAsync<StageException>(() => stages.RunAsync(kind, parameters, inputs))).Message;
}
