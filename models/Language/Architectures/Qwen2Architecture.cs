namespace Pipelines.Models;

/// <summary>Qwen2 and 2.5 (arXiv:2407.10671): a Llama with biases on q, k and v, and a window in its upper blocks where one is switched on.</summary>
internal static class Qwen2Architecture
{
    public static CausalConfig Read(ConfigFields fields)
    {
        var heads = fields.Size("num_attention_heads");
        var hidden = fields.Size("hidden_size");
        return new CausalConfig(fields)
        {
            Architecture = CausalConfig.Named(fields, "Qwen2ForCausalLM"),
            Names = TensorNames.Llama,
            HiddenSize = hidden,
            IntermediateSize = fields.Size("intermediate_size"),
            NumHiddenLayers = fields.Size("num_hidden_layers"),
            NumAttentionHeads = heads,
            NumKeyValueHeads = fields.Size("num_key_value_heads", heads),
            HeadDim = hidden / heads,
            VocabSize = fields.Size("vocab_size"),
            MaxPositionEmbeddings = fields.Size("max_position_embeddings", 32_768),
            Norm = NormKind.Rms,
            NormEps = fields.Number("rms_norm_eps", 1e-6),
            Activation = Activations.Parse(fields, "hidden_act", "silu"),
            RotaryDim = hidden / heads,
            RopeTheta = fields.Number("rope_theta", 10_000),
            RopeScaling = RopeScaling.Parse(fields.Path, fields.Json["rope_scaling"]),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", false),
            QueryBias = true,
            SlidingWindow = fields.Flag("use_sliding_window", false) ? fields.Size("sliding_window", 4096) : null,
            FirstWindowedLayer = fields.Count("max_window_layers", 28),
            WindowedLayers = LayerTypes.Read(fields),
        };
    }
}
