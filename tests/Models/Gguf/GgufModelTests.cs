using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

public sealed class GgufModelTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-gguf-").FullName;
    private readonly LlamaGguf config = GgufLlamaFixture.Config;
    private readonly GgufVocabulary vocabulary = GgufLlamaFixture.Vocabulary;

    private string File_ => Path.Combine(folder, "model.gguf");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(GgufType.F32, 0)]
    [InlineData(GgufType.F16, 1)]
    [InlineData(GgufType.BF16, 32)]
    [InlineData(GgufType.Q8_0, 7)]
    public void What_is_written_stands_the_check(GgufType type, int fileType)
    {
        using var scope = NewDisposeScope();
        var weights = GgufLlamaFixture.Weights(config);

        GgufModel.Write(File_, type, config, vocabulary, weights);
        var check = GgufModel.Check(File_, type, config, vocabulary, weights);

        Assert.Equal((21, weights.Sum(weight => weight.Tensor.numel())), (check.Tensors, check.Values));
        Assert.InRange(check.Zeros, weights.Sum(weight => weight.Tensor.numel() - weight.Tensor.count_nonzero().ToInt64()), check.Values / 2);
        Assert.Equal(type == GgufType.F32, check.LargestError == 0);
        using var file = GgufFile.Open(File_);
        Assert.Equal(GgufValue.Of(fileType), file.Values["general.file_type"]);
        Assert.Equal(GgmlType.F32, file.Tensors["blk.1.ffn_norm.weight"].Type);
        Assert.Equal(GgmlType.Of(type), file.Tensors["blk.1.ffn_down.weight"].Type);
        Assert.Equal(GgmlType.Of(type), file.Tensors["token_embd.weight"].Type);
    }

    [Fact]
    public void Equal_models_give_equal_bytes_in_whatever_order_the_tensors_come()
    {
        using var scope = NewDisposeScope();
        var weights = GgufLlamaFixture.Weights(config);

        GgufModel.Write(File_, GgufType.Q8_0, config, vocabulary, weights);
        var first = File.ReadAllBytes(File_);
        weights.Reverse();
        GgufModel.Write(File_, GgufType.Q8_0, config, vocabulary, weights);

        Assert.Equal(first, File.ReadAllBytes(File_));
    }

    /// <summary>Of a head of 8 rows, rows 0 to 3 rotate with rows 4 to 7; ggml's rotate in neighbouring pairs.</summary>
    [Fact]
    public void Queries_and_keys_are_reordered_within_heads_and_nothing_else_is()
    {
        using var scope = NewDisposeScope();
        var weights = GgufLlamaFixture.Weights(config);
        for (var i = 0; i < weights.Count; i++)
        {
            var (name, tensor) = weights[i];
            if (tensor.dim() == 2)
                weights[i] = (name, arange((float)tensor.shape[0]).unsqueeze(1).expand(tensor.shape));
        }

        GgufModel.Write(File_, GgufType.F32, config, vocabulary, weights);

        using var file = GgufFile.Open(File_);
        Assert.Equal([0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15], Rows("blk.0.attn_k.weight"));
        Assert.Equal([24, 28, 25, 29, 26, 30, 27, 31], Rows("blk.1.attn_q.weight")[^8..]);
        foreach (var other in new[] { "blk.0.attn_v", "blk.0.attn_output", "blk.1.ffn_gate", "blk.1.ffn_down", "token_embd", "output" })
            Assert.Equal(Rows($"{other}.weight").Order(), Rows($"{other}.weight"));

        float[] Rows(string name) => file.View(name).select(1, 0).contiguous().data<float>().ToArray();
    }

    [Fact]
    public void Says_every_key_that_llama_needs()
    {
        using var scope = NewDisposeScope();
        var pruned = config with { NumAttentionHeads = 2, NumKeyValueHeads = 1, TieWordEmbeddings = true };

        GgufModel.Write(File_, GgufType.F16, pruned, vocabulary, [.. GgufLlamaFixture.Weights(pruned).SkipLast(1)]);

        using var file = GgufFile.Open(File_);
        Assert.Equal(GgufValue.Of("llama"), file.Values["general.architecture"]);
        Assert.Equal(GgufValue.Of("tiny"), file.Values["general.name"]);
        Assert.Equal(GgufValue.Of(32), file.Values["general.alignment"]);
        Assert.Equal(GgufValue.Of(128), file.Values["llama.context_length"]);
        Assert.Equal(GgufValue.Of(32), file.Values["llama.embedding_length"]);
        Assert.Equal(GgufValue.Of(2), file.Values["llama.block_count"]);
        Assert.Equal(GgufValue.Of(64), file.Values["llama.feed_forward_length"]);
        Assert.Equal(GgufValue.Of(2), file.Values["llama.attention.head_count"]);
        Assert.Equal(GgufValue.Of(1), file.Values["llama.attention.head_count_kv"]);
        Assert.Equal(GgufValue.Of(8), file.Values["llama.attention.key_length"]);
        Assert.Equal(GgufValue.Of(8), file.Values["llama.attention.value_length"]);
        Assert.Equal(GgufValue.Of(1e-5f), file.Values["llama.attention.layer_norm_rms_epsilon"]);
        Assert.Equal(GgufValue.Of(8), file.Values["llama.rope.dimension_count"]);
        Assert.Equal(GgufValue.Of(10_000f), file.Values["llama.rope.freq_base"]);
        Assert.Equal(GgufValue.Of(256), file.Values["llama.vocab_size"]);
        Assert.Equal(GgufValue.Of("gpt2"), file.Values["tokenizer.ggml.model"]);
        Assert.Equal(GgufValue.Of("gpt-2"), file.Values["tokenizer.ggml.pre"]);
        Assert.Equal(256, Assert.IsType<GgufValue.List>(file.Values["tokenizer.ggml.tokens"]).Items.Count);
        Assert.DoesNotContain("output.weight", file.Tensors.Keys);
        Assert.DoesNotContain("rope_freqs.weight", file.Tensors.Keys);
    }

    [Fact]
    public void A_row_of_half_blocks_is_F16_where_Q8_was_asked_for()
    {
        using var scope = NewDisposeScope();
        var narrow = config with { IntermediateSize = 48 };
        var weights = GgufLlamaFixture.Weights(narrow);

        GgufModel.Write(File_, GgufType.Q8_0, narrow, vocabulary, weights);
        GgufModel.Check(File_, GgufType.Q8_0, narrow, vocabulary, weights);

        using var file = GgufFile.Open(File_);
        Assert.Equal(GgmlType.F16, file.Tensors["blk.0.ffn_down.weight"].Type);
        Assert.Equal(GgmlType.Q80, file.Tensors["blk.0.ffn_up.weight"].Type);
    }

    [Fact]
    public void Rotary_scaling_is_a_key_or_a_tensor_of_divisors()
    {
        using var scope = NewDisposeScope();
        var linear = config with { RopeScaling = new RopeScaling.Linearly(4) };
        var weights = GgufLlamaFixture.Weights(config);
        GgufModel.Write(File_, GgufType.F32, linear, vocabulary, weights);
        using (var file = GgufFile.Open(File_))
        {
            Assert.Equal(GgufValue.Of("linear"), file.Values["llama.rope.scaling.type"]);
            Assert.Equal(GgufValue.Of(4f), file.Values["llama.rope.scaling.factor"]);
        }

        // Frequencies 1, 0.1, 0.01 and 0.001 have waves of 6.3, 63, 628 and 6283 positions: with a context of 256 those up
        // to 64 stay, those from 256 on are divided by 8.
        var byWave = config with { RopeScaling = new RopeScaling.ByWavelength(8, 1, 4, 256) };
        GgufModel.Write(File_, GgufType.F32, byWave, vocabulary, weights);
        GgufModel.Check(File_, GgufType.F32, byWave, vocabulary, weights);
        using var scaled = GgufFile.Open(File_);
        Assert.Equal([1, 1, 8, 8], scaled.View("rope_freqs.weight").data<float>().ToArray().Select(factor => MathF.Round(factor, 4)));
    }

    [Fact]
    public void What_GGUF_cannot_say_is_refused_with_the_reason()
    {
        using var scope = NewDisposeScope();
        var weights = GgufLlamaFixture.Weights(config);

        Refused("'model.layers.0.self_attn.o_proj.bias' is a bias", [.. weights, ("model.layers.0.self_attn.o_proj.bias", zeros(32))]);
        Refused("'model.layers.0.mlp.experts.0' has no place", [.. weights, ("model.layers.0.mlp.experts.0", zeros(32))]);
        Refused("'lm_head.weight' is missing", [.. weights.SkipLast(1)]);
        Refused(
            "'model.layers.1.mlp.up_proj.weight' has shape [48, 32]: expected [64, 32]. GGUF has one width for all blocks",
            [.. weights.Select(weight => weight.Name == "model.layers.1.mlp.up_proj.weight" ? (weight.Name, zeros(48, 32)) : weight)]);
        Refused("'output.weight' holds NaN", [.. weights.SkipLast(1), ("lm_head.weight", full([256, 32], double.NaN))]);
        Assert.Contains(
            "the vocabulary has 256 tokens, the embedding 257 rows",
            Assert.Throws<GgufException>(() => GgufModel.Write(
                File_, GgufType.F32, config with { VocabSize = 257 }, vocabulary, weights)).Message,
            StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(folder));

        void Refused(string says, List<(string, Tensor)> tensors) => Assert.Contains(
            says,
            Assert.Throws<GgufException>(() => GgufModel.Write(File_, GgufType.F32, config, vocabulary, tensors)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(GgufType.F16)]
    [InlineData(GgufType.Q8_0)]
    public void The_check_finds_what_is_wrong(GgufType type)
    {
        using var scope = NewDisposeScope();
        var weights = GgufLlamaFixture.Weights(config);
        GgufModel.Write(File_, type, config, vocabulary, weights);

        // A matrix of queries that was not reordered, a weight that moved, a key that differs.
        var unordered = weights.ConvertAll(weight => weight.Name.EndsWith("0.self_attn.q_proj.weight", StringComparison.Ordinal)
            ? (weight.Name, weight.Tensor.view(4, 4, 2, 32).transpose(1, 2).reshape(32, 32))
            : weight);
        var moved = weights.ConvertAll(weight => (weight.Name, weight.Tensor.clone()));
        moved[8].Item2[3, 5] += 0.1;
        Found("'blk.0.attn_q.weight' differs from", config, unordered);
        Found($"'{moved[8].Name}' by more than {type} rounds, 1 times", config, moved);
        Found("llama.rope.freq_base is 10000: expected 500000", config with { RopeTheta = 500_000 }, weights);

        void Found(string says, LlamaGguf model, List<(string, Tensor)> tensors) => Assert.Contains(
            says,
            Assert.Throws<GgufException>(() => GgufModel.Check(File_, type, model, vocabulary, tensors)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("golden/models/llama-tiny-trained", GgufType.F16)]
    [InlineData("golden/models/llama-tiny-trained", GgufType.Q8_0)]
    [InlineData("models/wikitext-llama", GgufType.F16)]
    [InlineData("models/wikitext-llama", GgufType.Q8_0)]
    public void Real_checkpoints_stand_the_check(string name, GgufType type)
    {
        using var scope = NewDisposeScope();
        var source = Golden.Shared(name);
        using var files = SafetensorsFolder.Open(source);
        var real = GgufLlamaFixture.Read(source);
        var words = real.VocabSize == 256 ? vocabulary : GgufVocabulary.Read(source, real.VocabSize);
        var weights = files.Names.Select(tensor => (tensor, files.View(tensor))).ToArray();

        GgufModel.Write(File_, type, real, words, weights);
        var check = GgufModel.Check(File_, type, real, words, weights);

        Assert.Equal(weights.Length, check.Tensors);
        Assert.InRange(check.LargestError, 1e-9, type == GgufType.F16 ? 1e-3 : 2e-2);
        Assert.InRange(check.Bytes / (double)check.Values, type == GgufType.F16 ? 2 : 1.0625, type == GgufType.F16 ? 2.3 : 1.4);
    }
}
