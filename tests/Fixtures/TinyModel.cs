using System.Text.Json.Nodes;
using Pipelines.Models;

namespace Pipelines.Tests.Fixtures;

/// <summary>A Hugging Face folder of a Llama that fits in a few kilobytes, and a text that its tokenizer reads.</summary>
internal static class TinyModel
{
    public static string Text { get; } = string.Concat(Enumerable.Repeat("the cat sat on the mat and the dog saw the cat. ", 40));

    /// <param name="seed">Of the weights.</param>
    /// <param name="architecture">Of those in <see cref="TinyArchitectures"/>; null for a Llama of two blocks.</param>
    public static string Save(string folder, long seed = 3, string? architecture = null)
    {
        Directory.CreateDirectory(folder);
        var tokenizer = BpeTrainer.Train(Text, 300, []);
        tokenizer.Save(folder);
        var config = architecture is null ? Llama() : TinyArchitectures.Config(architecture);
        config["vocab_size"] = tokenizer.VocabularySize;
        using var model = CausalFolder.Create(CausalConfig.Parse("tiny", config), seed);
        CausalFolder.Save(model, folder);
        return folder;
    }

    private static JsonObject Llama() => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["model_type"] = "llama",
        ["hidden_size"] = 16,
        ["intermediate_size"] = 24,
        ["num_hidden_layers"] = 2,
        ["num_attention_heads"] = 4,
        ["num_key_value_heads"] = 2,
    };
}
