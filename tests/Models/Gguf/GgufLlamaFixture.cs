using System.Text.Json.Nodes;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

/// <summary>A Llama of 2 blocks with random weights, some of them zero, and a tokenizer of its 256 bytes.</summary>
internal static class GgufLlamaFixture
{
    public static LlamaGguf Config { get; } = new()
    {
        Name = "tiny",
        HiddenSize = 32,
        IntermediateSize = 64,
        NumHiddenLayers = 2,
        NumAttentionHeads = 4,
        NumKeyValueHeads = 2,
        HeadDim = 8,
        VocabSize = 256,
        MaxPositionEmbeddings = 128,
        RmsNormEps = 1e-5,
        RopeTheta = 10_000,
    };

    public static GgufVocabulary Vocabulary { get; } = new(
        [.. TinyTokenizer.Symbols.Select(symbol => symbol.ToString())],
        [.. Enumerable.Repeat(GgufTokenType.Normal, 256)], [], "gpt-2", 0, 0, false);

    public static List<(string Name, Tensor Tensor)> Weights(LlamaGguf config, long seed = 5)
    {
        using var generator = new Generator((ulong)seed, CPU);
        long hidden = config.HiddenSize, width = config.IntermediateSize;
        long queries = config.NumAttentionHeads * config.HeadDim, keys = config.NumKeyValueHeads * config.HeadDim;
        List<(string, Tensor)> weights = [("model.embed_tokens.weight", Random(config.VocabSize, hidden))];
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            var at = $"model.layers.{layer}";
            weights.AddRange([
                ($"{at}.input_layernorm.weight", Random(hidden)), ($"{at}.post_attention_layernorm.weight", Random(hidden)),
                ($"{at}.self_attn.q_proj.weight", Random(queries, hidden)), ($"{at}.self_attn.k_proj.weight", Random(keys, hidden)),
                ($"{at}.self_attn.v_proj.weight", Random(keys, hidden)), ($"{at}.self_attn.o_proj.weight", Random(hidden, queries)),
                ($"{at}.mlp.gate_proj.weight", Random(width, hidden)), ($"{at}.mlp.up_proj.weight", Random(width, hidden)),
                ($"{at}.mlp.down_proj.weight", Random(hidden, width)),
            ]);
        }

        weights.AddRange([("model.norm.weight", Random(hidden)), ("lm_head.weight", Random(config.VocabSize, hidden))]);
        return weights;

        Tensor Random(params long[] shape)
        {
            var normal = empty(shape).normal_(0, 0.5, generator: generator);
            return normal.masked_fill(normal.abs().lt(0.2), 0);
        }
    }

    /// <summary>A config from a Hugging Face folder.</summary>
    public static LlamaGguf Read(string folder)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!;
        int Size(string name) => json[name]!.GetValue<int>();
        return new LlamaGguf
        {
            Name = Path.GetFileName(folder),
            HiddenSize = Size("hidden_size"),
            IntermediateSize = Size("intermediate_size"),
            NumHiddenLayers = Size("num_hidden_layers"),
            NumAttentionHeads = Size("num_attention_heads"),
            NumKeyValueHeads = Size("num_key_value_heads"),
            HeadDim = Size("hidden_size") / Size("num_attention_heads"),
            VocabSize = Size("vocab_size"),
            MaxPositionEmbeddings = Size("max_position_embeddings"),
            RmsNormEps = json["rms_norm_eps"]!.GetValue<double>(),
            RopeTheta = json["rope_theta"]!.GetValue<double>(),
            TieWordEmbeddings = json["tie_word_embeddings"]!.GetValue<bool>(),
        };
    }
}
