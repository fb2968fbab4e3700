using System.Text.Json;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>Whole stages on a tiny model: what they refuse, and what comes out of them.</summary>
public sealed class StageTests : IDisposable
{
    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Fact]
    public async Task Wanda_takes_statistics_or_a_calibration_set_and_not_both_or_neither()
    {
        var (model, data) = (await ModelAsync(), await DataAsync());
        var statistics = await StatisticsAsync(model, data);

        var neither = await RefusedAsync("prune.wanda", new { }, ("model", model));
        var both = await RefusedAsync("prune.wanda", new { }, ("model", model), ("calibration", data), ("statistics", statistics));

        Assert.Contains("either 'calibration' or 'statistics'", neither);
        Assert.Equal(neither, both);
    }

    [Theory]
    [InlineData("prune.wanda")]
    [InlineData("prune.flap")]
    public async Task Statistics_of_another_model_are_refused(string kind)
    {
        var (model, other) = (await ModelAsync(), await ModelAsync(seed: 4));
        var statistics = await StatisticsAsync(model, await DataAsync());

        var message = await RefusedAsync(kind, new { }, ("model", other), ("statistics", statistics));

        Assert.Contains("calibrate the model that is pruned", message);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    public async Task Wanda_zeroes_its_share_of_every_row(double sparsity)
    {
        var (model, data) = (await ModelAsync(), await DataAsync());

        var pruned = await stages.RunAsync("prune.wanda", new { sparsity }, ("model", model), ("calibration", data));

        Assert.Equal(sparsity, pruned.GetProperty("sparsity").GetDouble(), 3);
        using var llama = CausalFolder.Load(await stages.OpenAsync(pruned.GetProperty("model")), CPU);
        foreach (var linear in llama.Linears())
        {
            using var scope = NewDisposeScope();
            var zeros = linear.Weight.eq(0).sum([1L]);
            Assert.True(zeros.eq((long)(linear.Weight.shape[1] * sparsity)).all().ToBoolean(), linear.Name);
        }
    }

    [Fact]
    public async Task A_pattern_that_does_not_divide_the_width_is_refused()
    {
        var message = await RefusedAsync(
            "prune.wanda", new { pattern = "2:5" }, ("model", await ModelAsync()), ("calibration", await DataAsync()));

        Assert.Contains("q_proj", message);
        Assert.Contains("16", message);
    }

    [Fact]
    public async Task Merged_adapters_leave_zeroed_weights_zero()
    {
        var (model, data) = (await ModelAsync(), await DataAsync());
        var pruned = await stages.RunAsync("prune.magnitude", new { sparsity = 0.5 }, ("model", model));

        var tuned = await stages.RunAsync(
            "finetune.lora", new { steps = 3, batch = 2, rank = 2 }, ("model", pruned.GetProperty("model")), ("data", data));

        using var before = CausalFolder.Load(await stages.OpenAsync(pruned.GetProperty("model")), CPU);
        using var after = CausalFolder.Load(await stages.OpenAsync(tuned.GetProperty("model")), CPU);
        foreach (var (old, now) in before.Linears().Zip(after.Linears()))
        {
            using var scope = NewDisposeScope();
            Assert.True(now.Weight.masked_select(old.Weight.eq(0)).eq(0).all().ToBoolean(), old.Name);
            Assert.False(now.Weight.Equals(old.Weight), old.Name);
        }
    }

    [Fact]
    public async Task Kept_adapters_lie_beside_the_model_and_count_in_its_evaluation()
    {
        var (model, data) = (await ModelAsync(), await DataAsync());

        var tuned = (await stages.RunAsync(
            "finetune.lora", new { steps = 5, batch = 4, rank = 2, adapters = "kept" }, ("model", model), ("data", data))).GetProperty("model");

        var (dense, kept) = (await stages.OpenAsync(model), await stages.OpenAsync(tuned));
        Assert.Equal(File.ReadAllBytes($"{dense}/model.safetensors"), File.ReadAllBytes($"{kept}/model.safetensors"));
        Assert.True(File.Exists($"{kept}/adapter_model.safetensors"));
        Assert.NotEqual(await PerplexityAsync(model, data), await PerplexityAsync(tuned, data));

        var exported = await stages.RunAsync("export.huggingface", new { }, ("model", tuned));
        Assert.True(File.Exists($"{await stages.OpenAsync(exported.GetProperty("export"))}/adapter_config.json"));
    }

    [Fact]
    public async Task A_model_that_carries_adapters_is_not_pruned_without_them()
    {
        var data = await DataAsync();
        var tuned = await stages.RunAsync(
            "finetune.lora", new { steps = 1, batch = 2, rank = 2, adapters = "kept" }, ("model", await ModelAsync()), ("data", data));

        Assert.Contains("adapters", await RefusedAsync("prune.magnitude", new { }, ("model", tuned.GetProperty("model"))));
    }

    [Theory]
    [InlineData("float16")]
    [InlineData("bfloat16")]
    public async Task A_model_in_half_precision_goes_through_every_stage_and_stays_one(string type)
    {
        var (wide, data) = (await ModelAsync(), await DataAsync());
        var half = (await stages.RunAsync("export.huggingface", new { type }, ("model", wide))).GetProperty("export");
        var model = (await stages.RunAsync("model.load", new { path = await stages.OpenAsync(half) })).GetProperty("model");

        var pruned = await stages.RunAsync("prune.wanda", new { }, ("model", model), ("calibration", data));
        var tuned = await stages.RunAsync(
            "finetune.lora", new { steps = 2, batch = 2, rank = 2 }, ("model", pruned.GetProperty("model")), ("data", data));
        var exported = await stages.RunAsync("export.huggingface", new { }, ("model", tuned.GetProperty("model")));

        Assert.Equal(await PerplexityAsync(wide, data), await PerplexityAsync(model, data), 1.0);
        var folder = await stages.OpenAsync(exported.GetProperty("export"));
        using var file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        Assert.All(file.Tensors.Values, tensor => Assert.Equal(type, tensor.Type.ToString().ToLowerInvariant()));
        Assert.Contains($"\"torch_dtype\": \"{type}\"", File.ReadAllText(Path.Combine(folder, "config.json")));
    }

    [Theory]
    [InlineData("model.train")]
    [InlineData("finetune.lora")]
    public async Task Training_that_died_at_any_step_ends_with_the_bits_of_one_that_did_not(string kind)
    {
        const int steps = 6;
        var (model, data) = (await ModelAsync(), await DataAsync());
        var whole = Path.Combine(stages.Folder, "whole");
        stages.Checkpoints = new KeptCheckpoints(whole);
        var undisturbed = await TrainAsync();

        for (var dies = 1; dies < steps; dies++)
        {
            var kept = Path.Combine(stages.Folder, $"dies-{dies}");
            stages.Checkpoints = new KeptCheckpoints(kept, dies);
            await Assert.ThrowsAsync<KeptCheckpoints.Died>(TrainAsync);
            stages.Checkpoints = new KeptCheckpoints(kept);

            Assert.Equal(undisturbed.GetRawText(), (await TrainAsync()).GetRawText());

            foreach (var file in Directory.EnumerateFiles(Path.Combine(whole, $"{steps:d6}")))
                Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(kept, $"{steps:d6}", Path.GetFileName(file))));
        }

        Task<JsonElement> TrainAsync() => kind == "model.train"
            ? stages.RunAsync(
                kind, new { steps, batch = 2, hidden = 16, layers = 1, heads = 2, intermediate = 24, vocabulary = 300 }, ("data", data))
            : stages.RunAsync(kind, new { steps, batch = 3, rank = 2 }, ("model", model), ("data", data));
    }

    [Fact]
    public async Task Training_that_leaves_the_numbers_says_at_which_step()
    {
        var message = await RefusedAsync(
            "finetune.lora", new { steps = 200, batch = 2, learningRate = 1.0, alpha = 10_000 },
            ("model", await ModelAsync()), ("data", await DataAsync()));

        Assert.Matches("step [0-9]+: the loss is (NaN|∞|Infinity)", message);
    }

    [Fact]
    public async Task A_text_too_short_for_the_model_s_tokens_is_refused()
    {
        File.WriteAllText(Path.Combine(stages.Folder, "short.txt"), "the cat sat on the mat");
        var data = (await stages.RunAsync("data.text", new { path = Path.Combine(stages.Folder, "short.txt"), length = 20 })).GetProperty("data");

        var message = await RefusedAsync("evaluate.perplexity", new { }, ("model", await ModelAsync()), ("data", data));

        Assert.Contains("short.txt", message);
        Assert.Contains("20", message);
    }

    [Fact]
    public async Task What_is_refused_leaves_no_artifact()
    {
        var model = await ModelAsync();
        var before = stages.Count;

        await RefusedAsync("prune.wanda", new { }, ("model", model));

        Assert.Equal(before, stages.Count);
    }

    private async Task<string> RefusedAsync(string kind, object parameters, params (string, JsonElement)[] inputs) =>
        (await Assert.ThrowsAsync<StageException>(() => stages.RunAsync(kind, parameters, inputs))).Message;

    private async Task<JsonElement> ModelAsync(long seed = 3)
    {
        var folder = TinyModel.Save(Path.Combine(stages.Folder, $"model-{seed}"), seed);
        return (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
    }

    private async Task<JsonElement> DataAsync()
    {
        var path = Path.Combine(stages.Folder, "text.txt");
        await File.WriteAllTextAsync(path, TinyModel.Text, TestContext.Current.CancellationToken);
        return (await stages.RunAsync("data.text", new { path, length = 16, sequences = 8 })).GetProperty("data");
    }

    private async Task<JsonElement> StatisticsAsync(JsonElement model, JsonElement data) =>
        (await stages.RunAsync("calibrate.statistics", new { }, ("model", model), ("calibration", data))).GetProperty("statistics");

    private async Task<double> PerplexityAsync(JsonElement model, JsonElement data) =>
        (await stages.RunAsync("evaluate.perplexity", new { }, ("model", model), ("data", data)))
            .GetProperty("measurement").GetProperty("perplexity").GetDouble();
}
