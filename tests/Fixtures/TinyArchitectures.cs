using System.Text.Json.Nodes;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Tests.Fixtures;

/// <summary>A small random model of each architecture: width 16, three blocks, four heads, 32 tokens.</summary>
internal static class TinyArchitectures
{
    public static IReadOnlyList<string> Names { get; } = ["llama", "mistral", "qwen2", "opt", "phi"];

    /// <returns>Norms and biases are moved off 1 and 0, so that one that is forgotten is found out.</returns>
    public static CausalLM Create(string name, ScalarType dtype = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var generator = new Generator(5, CPU);
        var model = CausalFolder.Create(CausalConfig.Parse(name, Config(name)), seed: 3);
        foreach (var (_, parameter) in model.NamedParameters())
            parameter.add_(empty(parameter.shape).normal_(0, 0.1, generator: generator));
        return dtype == ScalarType.Float32 ? model : Converted(model, dtype);
    }

    /// <summary>[1, 8].</summary>
    public static Tensor Prompt() => arange(8, dtype: ScalarType.Int64).mul(11).remainder(32).view(1, 8);

    public static JsonObject Config(string name)
    {
        var config = new JsonObject
        {
            ["model_type"] = name,
            ["hidden_size"] = 16,
            [name == "opt" ? "ffn_dim" : "intermediate_size"] = 24,
            ["num_hidden_layers"] = 3,
            ["num_attention_heads"] = 4,
            ["max_position_embeddings"] = 16,
            ["vocab_size"] = 32,
        };
        if (name is "llama" or "mistral" or "qwen2")
            config["num_key_value_heads"] = 2;
        if (name == "mistral")
            config["sliding_window"] = 4;
        return config;
    }

    private static CausalLM Converted(CausalLM model, ScalarType dtype)
    {
        var folder = Directory.CreateTempSubdirectory("pipelines-architecture-").FullName;
        try
        {
            CausalFolder.Save(model, folder);
            model.Dispose();
            return CausalFolder.Load(folder, CPU, dtype);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
