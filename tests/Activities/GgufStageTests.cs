using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Activities.Exporting;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>A model on its way to llama.cpp: what the file holds, and which models have no place in one.</summary>
public sealed class GgufStageTests : IDisposable
{
    private readonly StageFolder stages = new();

    public void Dispose() => stages.Dispose();

    [Theory]
    [InlineData("f32", GgufType.F32)]
    [InlineData("f16", GgufType.F16)]
    [InlineData("bf16", GgufType.BF16)]
    [InlineData("q8_0", GgufType.Q8_0)]
    public async Task A_pruned_model_is_one_file_that_keeps_its_zeros(string type, GgufType expected)
    {
        var model = await ModelAsync("llama");
        var pruned = (await stages.RunAsync("prune.magnitude", new { sparsity = 0.5 }, ("model", model))).GetProperty("model");

        var exported = await stages.RunAsync("export.gguf", new { type, name = "half" }, ("model", pruned));

        var folder = await stages.OpenAsync(exported.GetProperty("export"));
        var path = Assert.Single(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories), name => !name.EndsWith("artifact.json", StringComparison.Ordinal));
        Assert.Equal("model.gguf", Path.GetFileName(path));
        Assert.Equal(new FileInfo(path).Length, exported.GetProperty("export").GetProperty("bytes").GetInt64());
        Assert.False(exported.GetProperty("export").GetProperty("manifest").GetBoolean());
        using var source = CausalFolder.Load(await stages.OpenAsync(pruned), CPU);
        Assert.True(exported.GetProperty("zeros").GetDouble() >= 1 - (double)source.NonzeroCount() / source.ParameterCount());
        using var file = GgufFile.Open(path);
        Assert.Equal(GgufValue.Of("half"), file.Values["general.name"]);
        Assert.Equal(GgmlType.Of(expected), file.Tensors["blk.0.attn_q.weight"].Type);
        Assert.Equal(GgufValue.Of(2), file.Values["tokenizer.ggml.eos_token_id"]);
    }

    /// <summary>What was written is read back as a model whose logits are those of the first, up to the type's rounding.</summary>
    [Theory]
    [InlineData("random", GgufType.F32)]
    [InlineData("random", GgufType.F16)]
    [InlineData("random", GgufType.BF16)]
    [InlineData("random", GgufType.Q8_0)]
    [InlineData("trained", GgufType.F32)]
    [InlineData("trained", GgufType.F16)]
    [InlineData("trained", GgufType.BF16)]
    [InlineData("trained", GgufType.Q8_0)]
    public async Task The_bound_on_logits_lies_between_rounding_and_rows_in_a_wrong_order(string name, GgufType type)
    {
        var source = name == "trained" ? Golden.Shared("models/wikitext-llama") : await stages.OpenAsync(await ModelAsync("llama"));

        // Nothing is awaited from here on: gradients are switched off for a thread.
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = CausalFolder.Load(source, CPU);
        var path = Path.Combine(stages.Folder, "model.gguf");
        var gguf = CausalGguf.Of(model, "model");
        GgufModel.Write(path, type, gguf, GgufVocabulary.Read(source, gguf.VocabSize), model.NamedParameters());
        using var reopened = CausalGguf.Load(path, model.Config, gguf);
        var tokens = arange(24, dtype: ScalarType.Int64).unsqueeze(0);
        var expected = model.Forward(tokens);

        var rounded = Distance(reopened.Forward(tokens));
        foreach (var block in reopened.Blocks)
            block.Attention!.Query.SetWeight(block.Attention.Query.Weight.flip(0));
        var wrong = Distance(reopened.Forward(tokens));

        var bound = ExportGguf.Bound(type, model.Blocks.Count);
        Assert.InRange(rounded, type == GgufType.F32 ? 0 : 1e-5, 0.6 * bound);
        Assert.True(wrong > 1.5 * bound, $"{wrong} for {bound}");

        double Distance(Tensor got) => (got - expected).norm().ToDouble() / expected.norm().ToDouble();
    }

    [Fact]
    public async Task A_Mistral_is_a_llama_as_far_as_its_window_goes()
    {
        var model = await ModelAsync("mistral", ("sliding_window", 40), ("max_position_embeddings", 64));

        var exported = await stages.RunAsync("export.gguf", new { }, ("model", model));

        using var file = GgufFile.Open(Path.Combine(await stages.OpenAsync(exported.GetProperty("export")), "model.gguf"));
        Assert.Equal(GgufValue.Of("llama"), file.Values["general.architecture"]);
        Assert.Equal(GgufValue.Of(40), file.Values["llama.context_length"]);
    }

    [Theory]
    [InlineData("qwen2", "the architecture is Qwen2ForCausalLM: expected one that GGUF's llama covers")]
    [InlineData("opt", "the architecture is OPTForCausalLM")]
    [InlineData("phi", "the architecture is PhiForCausalLM")]
    public async Task Other_architectures_are_refused(string name, string says) =>
        Assert.Contains(says, await RefusedAsync(await ModelAsync(name)));

    [Fact]
    public async Task Another_activation_is_refused() =>
        Assert.Contains("the activation is Relu", await RefusedAsync(await ModelAsync("llama", ("hidden_act", "relu"))));

    [Fact]
    public async Task A_model_that_carries_adapters_is_refused()
    {
        var model = await ModelAsync("llama");
        var tuned = await stages.RunAsync(
            "finetune.lora", new { steps = 1, batch = 2, rank = 2, adapters = "kept" }, ("model", model), ("data", await DataAsync()));

        Assert.Contains("adapters", await RefusedAsync(tuned.GetProperty("model")));
    }

    /// <summary>FLAP leaves blocks of different widths, and biases; what removes the same everywhere leaves a plain Llama.</summary>
    [Fact]
    public async Task Blocks_of_different_widths_are_refused()
    {
        var (model, data) = (await ModelAsync("llama"), await DataAsync());
        var statistics = (await stages.RunAsync("calibrate.statistics", new { }, ("model", model), ("calibration", data))).GetProperty("statistics");
        var pruned = (await stages.RunAsync("prune.flap", new { ratio = 0.4 }, ("model", model), ("statistics", statistics))).GetProperty("model");
        var before = stages.Count;

        var message = await RefusedAsync(pruned);

        Assert.Matches("one width for all blocks|is a bias", message);
        Assert.Equal(before, stages.Count);
    }

    [Fact]
    public async Task A_tokenizer_without_an_end_is_refused()
    {
        var folder = TinyModel.Save(Path.Combine(stages.Folder, "endless"));
        var model = (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");

        Assert.Contains("no token is said to end a text", await RefusedAsync(model));
    }

    private async Task<string> RefusedAsync(JsonElement model) =>
        (await Assert.ThrowsAsync<StageException>(() => stages.RunAsync("export.gguf", new { }, ("model", model)))).Message;

    /// <summary>Two blocks of random weights; rows are whole blocks of 32 values.</summary>
    private async Task<JsonElement> ModelAsync(string name, params (string Name, JsonNode Value)[] settings)
    {
        var folder = Directory.CreateDirectory(Path.Combine(stages.Folder, name)).FullName;
        var tokenizer = BpeTrainer.Train(TinyModel.Text, 300, []);
        tokenizer.Save(folder);
        var config = TinyArchitectures.Config(name);
        config["architectures"] = new JsonArray($"{Prefix(name)}ForCausalLM");
        config["hidden_size"] = 32;
        config[name == "opt" ? "ffn_dim" : "intermediate_size"] = 64;
        config["num_hidden_layers"] = 2;
        config["max_position_embeddings"] = 64;
        config["vocab_size"] = tokenizer.VocabularySize;
        config["eos_token_id"] = 2;
        foreach (var (field, value) in settings)
            config[field] = value;
        using (var model = CausalFolder.Create(CausalConfig.Parse(name, config), 3))
        {
            using var scope = NewDisposeScope();
            using var ungraded = no_grad();
            using var generator = new Generator(5, CPU);
            foreach (var (_, parameter) in model.NamedParameters())
                parameter.add_(empty(parameter.shape).normal_(0, 0.3, generator: generator));
            CausalFolder.Save(model, folder);
        }

        return (await stages.RunAsync("model.load", new { path = folder })).GetProperty("model");
    }

    private static string Prefix(string name) => name == "opt" ? "OPT" : $"{char.ToUpperInvariant(name[0])}{name[1..]}";

    private async Task<JsonElement> DataAsync()
    {
        var path = Path.Combine(stages.Folder, "text.txt");
        await File.WriteAllTextAsync(path, TinyModel.Text, TestContext.Current.CancellationToken);
        return (await stages.RunAsync("data.text", new { path, length = 16, sequences = 8 })).GetProperty("data");
    }
}
