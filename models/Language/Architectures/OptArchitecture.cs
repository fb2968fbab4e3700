namespace Pipelines.Models;

/// <summary>OPT (Zhang et al., arXiv:2205.01068): learned positions, layer norms, biases everywhere, an MLP without a gate.</summary>
internal static class OptArchitecture
{
    public static CausalConfig Read(ConfigFields fields)
    {
        var heads = fields.Size("num_attention_heads");
        var hidden = fields.Size("hidden_size");

        // OPT-350M alone has its norms behind the residual edges and an embedding of another width.
        fields.Only("do_layer_norm_before", true);
        fields.Only("_remove_final_layer_norm", false);
        fields.Only("layer_norm_elementwise_affine", true);
        if (fields.Size("word_embed_proj_dim", hidden) != hidden)
            throw fields.Wrong("word_embed_proj_dim", fields.Json["word_embed_proj_dim"]!, $"{hidden}, the hidden_size");
        var biased = fields.Flag("enable_bias", true);
        return new CausalConfig(fields)
        {
            Architecture = CausalConfig.Named(fields, "OPTForCausalLM"),
            Names = Names,
            HiddenSize = hidden,
            IntermediateSize = fields.Size("ffn_dim"),
            IntermediateField = "ffn_dim",
            NumHiddenLayers = fields.Size("num_hidden_layers"),
            NumAttentionHeads = heads,
            NumKeyValueHeads = heads,
            HeadDim = hidden / heads,
            VocabSize = fields.Size("vocab_size"),
            MaxPositionEmbeddings = fields.Size("max_position_embeddings", 2048),
            PositionOffset = 2,
            Norm = NormKind.Layer,
            NormEps = 1e-5,
            Activation = Activations.Parse(fields, "activation_function", "relu"),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", true),
            QueryBias = biased,
            OutputBias = biased,
            MlpBias = biased,
        };
    }

    private static TensorNames Names { get; } = new()
    {
        Embedding = "model.decoder.embed_tokens",
        Positions = "model.decoder.embed_positions",
        Layers = "model.decoder.layers",
        Norm = "model.decoder.final_layer_norm",
        AttentionNorm = "self_attn_layer_norm",
        MlpNorm = "final_layer_norm",
        Output = "self_attn.out_proj",
        Gate = null,
        Up = "fc1",
        Down = "fc2",
    };
}
