namespace Pipelines.Models;

/// <summary>What an architecture's checkpoints call their tensors, without <c>.weight</c> and <c>.bias</c>.</summary>
public sealed record TensorNames
{
    public required string Embedding { get; init; }

    /// <summary>Null without a learned position embedding.</summary>
    public string? Positions { get; init; }

    /// <summary>Of the blocks, before their number.</summary>
    public required string Layers { get; init; }

    public required string Norm { get; init; }

    public string Head { get; init; } = "lm_head";

    // Below, within a block.

    public required string AttentionNorm { get; init; }

    /// <summary>Null for a parallel block.</summary>
    public required string? MlpNorm { get; init; }

    public string Query { get; init; } = "self_attn.q_proj";

    public string Key { get; init; } = "self_attn.k_proj";

    public string Value { get; init; } = "self_attn.v_proj";

    public required string Output { get; init; }

    /// <summary>Null for an MLP without a gate.</summary>
    public required string? Gate { get; init; }

    public required string Up { get; init; }

    public required string Down { get; init; }

    public string Layer(int index) => $"{Layers}.{index}";

    /// <summary>Llama's, which Mistral and Qwen2 took over.</summary>
    internal static TensorNames Llama { get; } = new()
    {
        Embedding = "model.embed_tokens",
        Layers = "model.layers",
        Norm = "model.norm",
        AttentionNorm = "input_layernorm",
        MlpNorm = "post_attention_layernorm",
        Output = "self_attn.o_proj",
        Gate = "mlp.gate_proj",
        Up = "mlp.up_proj",
        Down = "mlp.down_proj",
    };
}
