using System.Text.Json;
using Pipelines.Activities.Calibration;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Torch;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>What is gathered block by block against what a whole forward pass shows, and a walk that is interrupted.</summary>
public sealed class StatisticsRunnerTests : IDisposable
{
    private const string Everything = "moments,gram,heads,influence";

    private readonly StageFolder stages = new();

    public static TheoryData<string> All => [.. TinyArchitectures.Names];

    public void Dispose() => stages.Dispose();

    [Theory]
    [MemberData(nameof(All))]
    public void Gathers_of_a_folder_what_a_forward_pass_in_double_shows(string architecture)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var folder = Directory.CreateDirectory(Path.Combine(stages.Folder, architecture)).FullName;
        using (var model = TinyArchitectures.Create(architecture))
            CausalFolder.Save(model, folder);
        using var dense = CausalFolder.Load(folder, CPU, ScalarType.Float64);
        var tokens = cat([TinyArchitectures.Prompt(), TinyArchitectures.Prompt().flip(1)]);
        using var statistics = Gathered(folder, tokens);
        var seen = new Witness();
        using var hidden = dense.Hidden(tokens, seen);

        foreach (var block in dense.Blocks)
        {
            foreach (var linear in block.Linears)
            {
                var x = seen.Inputs[linear.Name].reshape(-1, linear.Weight.shape[1]);
                AssertNear(x.t().matmul(x), statistics.Gram(linear.Name));
                AssertNear(x.mean([0L]), statistics.Mean(linear.Name));
                AssertNear(x.var(0L, unbiased: false), statistics.Variance(linear.Name));
            }

            var query = seen.Outputs[block.Attention!.Query.Name].view(16, -1, 4).transpose(0, 1);
            AssertNear(query.transpose(1, 2).matmul(query), statistics.Heads(block.Attention.Query.Name));
        }

        var first = dense.Embed(tokens);
        var second = dense.Blocks[0].Forward(first, dense.Positions(8));
        var cosine = (first * second).sum([-1L]) / (first.square().sum([-1L]) * second.square().sum([-1L])).sqrt();
        Assert.Equal(1 - cosine.mean().ToDouble(), statistics.Influence(dense.Config.Names.Layer(0)), 1e-6);
    }

    [Theory]
    [InlineData("float16")]
    [InlineData("bfloat16")]
    public async Task A_checkpoint_in_half_precision_gives_the_statistics_of_its_values(string type)
    {
        var data = await DataAsync();
        var wide = await LoadAsync(TinyModel.Save(Path.Combine(stages.Folder, "wide")));
        var half = await stages.OpenAsync((await stages.RunAsync("export.huggingface", new { type }, ("model", wide))).GetProperty("export"));
        var rounded = Directory.CreateDirectory(Path.Combine(stages.Folder, "rounded")).FullName;
        foreach (var file in Directory.EnumerateFiles(half))
            File.Copy(file, Path.Combine(rounded, Path.GetFileName(file)));
        using (var model = CausalFolder.Load(half, CPU))
        {
            SafetensorsWriter.Write(
                Path.Combine(rounded, "model.safetensors"), model.NamedParameters().Select(one => TensorSource.Of(one.Name, one.Tensor)));
        }

        var one = await StatisticsAsync(await LoadAsync(half), data, Everything);
        var other = await StatisticsAsync(await LoadAsync(rounded), data, Everything);

        AssertSame(await stages.OpenAsync(one), await stages.OpenAsync(other));
    }

    [Fact]
    public async Task A_walk_that_died_after_any_block_ends_with_the_bits_of_one_that_did_not()
    {
        var (model, data) = (await LoadAsync(TinyModel.Save(Path.Combine(stages.Folder, "model"))), await DataAsync());
        var undisturbed = await StatisticsAsync(model, data, Everything);

        for (var dies = 1; dies <= 2; dies++)
        {
            var kept = Path.Combine(stages.Folder, $"dies-{dies}");
            stages.Checkpoints = new KeptCheckpoints(kept, dies);
            await Assert.ThrowsAsync<KeptCheckpoints.Died>(() => StatisticsAsync(model, data, Everything));
            var before = Directory.GetLastWriteTimeUtc(Path.Combine(kept, $"{dies:d6}"));
            stages.Checkpoints = new KeptCheckpoints(kept);

            var resumed = await StatisticsAsync(model, data, Everything);

            Assert.Equal(undisturbed.GetRawText(), resumed.GetRawText());
            Assert.Equal(before, Directory.GetLastWriteTimeUtc(Path.Combine(kept, $"{dies:d6}")));
        }
    }

    [Fact]
    public async Task Each_block_can_be_measured_on_what_a_compressed_model_s_blocks_put_out()
    {
        var (model, data) = (await LoadAsync(TinyModel.Save(Path.Combine(stages.Folder, "model"))), await DataAsync());
        var pruned = (await stages.RunAsync("prune.magnitude", new { sparsity = 0.5 }, ("model", model))).GetProperty("model");

        var dense = await stages.OpenAsync(await StatisticsAsync(model, data, "mean"));
        var sequential = await stages.OpenAsync(await StatisticsAsync(model, data, "mean", pruned));
        var own = await stages.OpenAsync(await StatisticsAsync(pruned, data, "mean"));

        using var scope = NewDisposeScope();
        using var one = SafetensorsFile.Open(Path.Combine(dense, "statistics.safetensors"));
        using var two = SafetensorsFile.Open(Path.Combine(sequential, "statistics.safetensors"));
        using var three = SafetensorsFile.Open(Path.Combine(own, "statistics.safetensors"));
        const string first = "model.layers.0.mlp.down_proj.mean", later = "model.layers.1.self_attn.q_proj.mean";
        Assert.True(one.View(first).Equals(two.View(first)), "the first block reads the embedding, which is the same");
        Assert.False(one.View(later).Equals(two.View(later)));
        Assert.True(three.View(later).Equals(two.View(later)), "the first product of the second block reads what the compressed first block makes");
        Assert.Equal("sequential", two.Metadata["propagation"]);

        var refused = Assert.Throws<StageException>(() => StatisticsFile.Open(sequential, model.GetProperty("hash").GetString()!, Propagation.Dense));
        Assert.Contains("sequential propagation: expected dense", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_not_collected_is_refused_with_what_to_collect()
    {
        var (model, data) = (await LoadAsync(TinyModel.Save(Path.Combine(stages.Folder, "model"))), await DataAsync());
        var statistics = (await stages.RunAsync(
            "calibrate.statistics", new { collect = "gram", sites = "value,down" }, ("model", model), ("calibration", data))).GetProperty("statistics");

        var message = (await Assert.ThrowsAsync<StageException>(
            () => stages.RunAsync("prune.flap", new { }, ("model", model), ("statistics", statistics)))).Message;

        Assert.Contains("only gram at value,down: add 'fluctuation' to 'collect'", message);
    }

    [Fact]
    public async Task Activations_that_are_no_numbers_are_refused_by_the_name_of_what_read_them()
    {
        var folder = TinyModel.Save(Path.Combine(stages.Folder, "model"));
        using (var network = CausalFolder.Load(folder, CPU))
        using (NewDisposeScope())
        {
            network.Blocks[1].Attention!.Value.SetWeight(full_like(network.Blocks[1].Attention!.Value.Weight, double.NaN));
            CausalFolder.Save(network, Directory.CreateDirectory(Path.Combine(stages.Folder, "broken")).FullName);
            File.Copy(Path.Combine(folder, "tokenizer.json"), Path.Combine(stages.Folder, "broken", "tokenizer.json"));
        }

        var (model, data) = (await LoadAsync(Path.Combine(stages.Folder, "broken")), await DataAsync());

        var message = (await Assert.ThrowsAsync<StageException>(() => StatisticsAsync(model, data, "mean"))).Message;

        Assert.StartsWith("model.layers.1.self_attn.o_proj.mean is not finite", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_in_a_file_is_a_tensor_and_its_file_goes_with_it()
    {
        var folder = Directory.CreateDirectory(Path.Combine(stages.Folder, "scratch-tensor")).FullName;
        using (NewDisposeScope())
        {
            var held = ScratchTensor.Create(folder, [3, 2], ScalarType.Float32);
            held.copy_(arange(6).view(3, 2));

            Assert.Equal([0f, 1, 2, 3, 4, 5], held.data<float>().ToArray());
            Assert.Single(Directory.EnumerateFiles(folder));
        }

        Assert.Empty(Directory.EnumerateFiles(folder));
    }

    [Theory]
    [InlineData("gram,heads", StatisticKinds.Gram | StatisticKinds.Heads)]
    [InlineData("moments", StatisticKinds.Mean | StatisticKinds.MeanSquare | StatisticKinds.Fluctuation | StatisticKinds.Variance)]
    [InlineData("meanSquare", StatisticKinds.MeanSquare)]
    public void Kinds_are_words(string words, StatisticKinds kinds) => Assert.Equal(kinds, StatisticWords.Parse<StatisticKinds>(words));

    private StatisticsFile Gathered(string folder, Tensor tokens)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(stages.Folder, "gathered")).FullName;
        var plan = new StatisticsPlan(StatisticWords.Parse<StatisticKinds>(Everything));
        var stage = StageFolder.Unkept with { Scratch = scratch };
        var blocks = new StatisticsRunner(folder, plan, stage, TestContext.Current.CancellationToken).Run(tokens);
        StatisticsFile.Join(scratch, blocks, new CalibrationIdentity("m", "d", 2, 8, null, plan));
        return StatisticsFile.Open(scratch, "m");
    }

    private async Task<JsonElement> StatisticsAsync(JsonElement model, JsonElement data, string collect, JsonElement? compressed = null)
    {
        (string, JsonElement)[] inputs = [("model", model), ("calibration", data)];
        return (await stages.RunAsync(
            "calibrate.statistics", new { collect }, compressed is null ? inputs : [.. inputs, ("compressed", compressed.Value)])).GetProperty("statistics");
    }

    private async Task<JsonElement> LoadAsync(string path) => (await stages.RunAsync("model.load", new { path })).GetProperty("model");

    private async Task<JsonElement> DataAsync()
    {
        var path = Path.Combine(stages.Folder, "text.txt");
        await File.WriteAllTextAsync(path, TinyModel.Text, TestContext.Current.CancellationToken);
        return (await stages.RunAsync("data.text", new { path, length = 16, sequences = 8 })).GetProperty("data");
    }

    private static void AssertSame(string one, string other)
    {
        using var scope = NewDisposeScope();
        using var first = SafetensorsFile.Open(Path.Combine(one, "statistics.safetensors"));
        using var second = SafetensorsFile.Open(Path.Combine(other, "statistics.safetensors"));
        Assert.Equal(first.Tensors.Keys, second.Tensors.Keys);
        Assert.All(first.Tensors.Keys, name => Assert.True(first.View(name).Equals(second.View(name)), name));
    }

    private static void AssertNear(Tensor expected, Tensor got) => Assert.InRange(
        (expected - got).abs().max().ToDouble() / expected.abs().max().ToDouble(), 0, 1e-5);

    /// <summary>Keeps copies of all that it is shown: the operators write over what they were given.</summary>
    private sealed class Witness : LinearHook
    {
        public Dictionary<string, Tensor> Inputs { get; } = [];

        public Dictionary<string, Tensor> Outputs { get; } = [];

        public override Tensor Before(Linear linear, Tensor input)
        {
            Inputs[linear.Name] = input.clone().DetachFromDisposeScope();
            return input;
        }

        public override Tensor After(Linear linear, Tensor output)
        {
            Outputs[linear.Name] = output.clone().DetachFromDisposeScope();
            return output;
        }
    }
}
