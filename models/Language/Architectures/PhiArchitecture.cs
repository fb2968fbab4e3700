namespace Pipelines.Models;

/// <summary>Phi-1, 1.5 and 2 (Li et al., arXiv:2309.05463): parallel blocks, a rotary embedding of a part of each head, biases everywhere.</summary>
internal static class PhiArchitecture
{
    public static CausalConfig Read(ConfigFields fields)
    {
        var heads = fields.Size("num_attention_heads");
        var hidden = fields.Size("hidden_size");
        fields.Only("qk_layernorm", false);
        return new CausalConfig(fields)
        {
            Architecture = CausalConfig.Named(fields, "PhiForCausalLM"),
            Names = Names,
            HiddenSize = hidden,
            IntermediateSize = fields.Size("intermediate_size"),
            NumHiddenLayers = fields.Size("num_hidden_layers"),
            NumAttentionHeads = heads,
            NumKeyValueHeads = fields.Size("num_key_value_heads", heads),
            HeadDim = hidden / heads,
            VocabSize = fields.Size("vocab_size"),
            MaxPositionEmbeddings = fields.Size("max_position_embeddings", 2048),
            Norm = NormKind.Layer,
            NormEps = fields.Number("layer_norm_eps", 1e-5),
            Activation = Activations.Parse(fields, "hidden_act", "gelu_new"),
            RotaryDim = (int)(fields.Number("partial_rotary_factor", 0.5) * (hidden / heads)),
            RopeTheta = fields.Number("rope_theta", 10_000),
            RopeScaling = RopeScaling.Parse(fields.Path, fields.Json["rope_scaling"]),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", false),
            QueryBias = true,
            OutputBias = true,
            MlpBias = true,
            HeadBias = true,
        };
    }

    private static TensorNames Names { get; } = new()
    {
        Embedding = "model.embed_tokens",
        Layers = "model.layers",
        Norm = "model.final_layernorm",
        AttentionNorm = "input_layernorm",
        MlpNorm = null,
        Output = "self_attn.dense",
        Gate = null,
        Up = "mlp.fc1",
        Down = "mlp.fc2",
    };
}
