using System.Text.Json.Nodes;
using Pipelines.Activities.Calibration;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>SliceGPT's and ShortGPT's numbers against those of their own code (golden/README.md).</summary>
public sealed class StructuralGoldenTests : IDisposable
{
    private readonly string scratch = Directory.CreateTempSubdirectory("pipelines-structural-").FullName;

    public void Dispose() => Directory.Delete(scratch, recursive: true);

    [Fact]
    public void Slicegpts_spectra_and_logits_are_the_references()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU);
        using var golden = SafetensorsFile.Open(Golden.Path("prune/llama-tiny-trained/slicegpt_0.25.safetensors"));
        var summary = JsonNode.Parse(File.ReadAllText(Golden.Path("prune/slicegpt_summary.json")))!["llama-tiny-trained_0.25"]!;

        Slicegpt.Fuse(model, SlicegptEmbedding.Centered);
        Assert.Equal(1, Golden.Perplexity(model, 64) / summary["ppl_fused"]!.GetValue<double>(), 1e-4);
        var spectra = Slicegpt.Run(model, Golden.Tokens("calib"), 48, (_, _, _, _) => { }, TestContext.Current.CancellationToken);

        Assert.Equal(9, spectra.Count);
        foreach (var (index, spectrum) in spectra.Index())
            Assert.InRange((spectrum / golden.View($"eigenvalues.{index}") - 1).abs().max().ToDouble(), 0, 1e-4);
        var logits = model.Forward(Golden.Tokens("prompt"));
        Assert.InRange((logits - golden.View("logits_after_prompt")).abs().max().ToDouble(), 0, 1e-3);
        Assert.Equal(1, Golden.Perplexity(model, 64) / summary["ppl_after"]!.GetValue<double>(), 1e-4);

        Assert.True(CausalFolder.Save(model, scratch));
        using var loaded = CausalFolder.Load(scratch, CPU);
        Assert.True(logits.Equals(loaded.Forward(Golden.Tokens("prompt"))));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("opt")]
    [InlineData("phi")]
    public void Slicing_nothing_off_changes_nothing(string architecture)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(architecture, ScalarType.Float64);
        var before = model.Forward(TinyArchitectures.Prompt());

        Slicegpt.Fuse(model, SlicegptEmbedding.Kept);
        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - before).abs().max().ToDouble(), 0, 1e-9);
        Slicegpt.Run(model, TinyArchitectures.Prompt(), 16, (_, _, _, _) => { }, TestContext.Current.CancellationToken);

        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - before).abs().max().ToDouble(), 0, 1e-9);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("opt")]
    [InlineData("phi")]
    public void A_sliced_model_is_the_same_when_it_is_loaded(string architecture)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(architecture);
        var before = model.Forward(TinyArchitectures.Prompt());
        Slicegpt.Fuse(model, SlicegptEmbedding.Kept);
        Assert.InRange((model.Forward(TinyArchitectures.Prompt()) - before).abs().max().ToDouble(), 0, 1e-5);

        Slicegpt.Run(model, TinyArchitectures.Prompt(), 12, (_, _, _, _) => { }, TestContext.Current.CancellationToken);

        Assert.Equal(12, model.Embedding.shape[1]);
        Assert.All(model.Blocks, block => Assert.Equal(12, block.Mlp!.Up.Weight.shape[1]));
        Assert.True(CausalFolder.Save(model, scratch));
        using var loaded = CausalFolder.Load(scratch, CPU);
        Assert.True(model.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
        Assert.Equal(ModelFlops.PerToken(model, 8), ModelFlops.PerToken(loaded, 8));
        using var source = CausalSource.Open(scratch, CPU);
        Assert.True(source.Embed(TinyArchitectures.Prompt()).Equals(model.Embed(TinyArchitectures.Prompt())));
    }

    [Fact]
    public void Slicing_refuses_layer_norms_whose_shifts_have_no_place_to_go()
    {
        var config = TinyArchitectures.Config("opt");
        config["enable_bias"] = false;
        using var model = CausalFolder.Create(CausalConfig.Parse("opt", config), seed: 1);

        Assert.Contains("this model's linears have none", Assert.Throws<StageException>(() => Slicegpt.Fuse(model, SlicegptEmbedding.Kept)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shortgpts_influence_and_what_each_block_is_worth_are_the_references()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var golden = JsonNode.Parse(File.ReadAllText(Golden.Path("prune/more_summary.json")))!["shortgpt_llama-tiny-trained"]!;
        var expected = golden["block_influence_mean_over_tokens"]!.AsArray().Select(value => value!.GetValue<double>()).ToArray();

        // transformers norms the last of its hidden states; the reference has the one before the norm too.
        expected[^1] = golden["block_influence_last_layer_before_final_norm"]!.GetValue<double>();

        var influence = Influence(Golden.Path("models/llama-tiny-trained"), Golden.Tokens("calib"));

        foreach (var (value, wanted) in influence.Zip(expected))
            Assert.Equal(wanted, value, 1e-5);
        var removed = ShortgptPrune.Removed(influence, 0.25);
        Assert.Equal([1], removed);
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU);
        model.RemoveBlocks(removed);
        Assert.Equal(1, Golden.Perplexity(model, 64) / golden["ppl_dropping_layer"]![1]!.GetValue<double>(), 1e-4);
    }

    [Fact]
    public void Blocks_go_by_influence_and_of_equals_the_first()
    {
        Assert.Equal([0, 2, 3], ShortgptPrune.Removed([0.1, 0.5, 0.2, 0.2, 0.2, 0.9, 0.9, 0.9, 0.9, 0.9], 0.3));
        Assert.Empty(ShortgptPrune.Removed([0.1, 0.2, 0.3], 0.3));
    }

    private double[] Influence(string folder, Tensor tokens)
    {
        var plan = new StatisticsPlan(StatisticKinds.Influence);
        var stage = StageFolder.Unkept with { Scratch = scratch };
        var blocks = new StatisticsRunner(folder, plan, stage, TestContext.Current.CancellationToken).Run(tokens);
        StatisticsFile.Join(scratch, blocks, new CalibrationIdentity("m", "d", 1, 1, null, plan));
        using var statistics = StatisticsFile.Open(scratch, "m");
        return [.. blocks.Select((_, index) => statistics.Influence($"model.layers.{index}"))];
    }
}
