namespace Pipelines.Models;

/// <summary>Llama (Touvron et al., arXiv:2302.13971), 2, 3 and 3.1: <c>model_type</c> llama.</summary>
internal static class LlamaArchitecture
{
    public static CausalConfig Read(ConfigFields fields)
    {
        var heads = fields.Size("num_attention_heads");
        var hidden = fields.Size("hidden_size");
        var headDim = fields.Size("head_dim", hidden / heads);
        return new CausalConfig(fields)
        {
            Architecture = CausalConfig.Named(fields, "LlamaForCausalLM"),
            Names = TensorNames.Llama,
            HiddenSize = hidden,
            IntermediateSize = fields.Size("intermediate_size"),
            NumHiddenLayers = fields.Size("num_hidden_layers"),
            NumAttentionHeads = heads,
            NumKeyValueHeads = fields.Size("num_key_value_heads", heads),
            HeadDim = headDim,
            StatesHeadDim = true,
            VocabSize = fields.Size("vocab_size"),
            MaxPositionEmbeddings = fields.Size("max_position_embeddings", 2048),
            Norm = NormKind.Rms,
            NormEps = fields.Number("rms_norm_eps", 1e-6),
            Activation = Activations.Parse(fields, "hidden_act", "silu"),
            RotaryDim = headDim,
            RopeTheta = fields.Number("rope_theta", 10_000),
            RopeScaling = RopeScaling.Parse(fields.Path, fields.Json["rope_scaling"]),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", false),
            QueryBias = fields.Flag("attention_bias", false),
            OutputBias = fields.Flag("attention_bias", false),
            MlpBias = fields.Flag("mlp_bias", false),
        };
    }
}
