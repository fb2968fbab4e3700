namespace Pipelines.Models;

/// <summary>Mistral (Jiang et al., arXiv:2310.06825): a Llama whose queries may see a window of keys only.</summary>
internal static class MistralArchitecture
{
    public static CausalConfig Read(ConfigFields fields)
    {
        var heads = fields.Size("num_attention_heads");
        var hidden = fields.Size("hidden_size");
        var headDim = fields.Size("head_dim", hidden / heads);
        return new CausalConfig(fields)
        {
            Architecture = CausalConfig.Named(fields, "MistralForCausalLM"),
            Names = TensorNames.Llama,
            HiddenSize = hidden,
            IntermediateSize = fields.Size("intermediate_size"),
            NumHiddenLayers = fields.Size("num_hidden_layers"),
            NumAttentionHeads = heads,
            NumKeyValueHeads = fields.Size("num_key_value_heads", 8),
            HeadDim = headDim,
            StatesHeadDim = true,
            VocabSize = fields.Size("vocab_size"),
            MaxPositionEmbeddings = fields.Size("max_position_embeddings", 4096 * 32),
            Norm = NormKind.Rms,
            NormEps = fields.Number("rms_norm_eps", 1e-6),
            Activation = Activations.Parse(fields, "hidden_act", "silu"),
            RotaryDim = headDim,
            RopeTheta = fields.Number("rope_theta", 10_000),
            RopeScaling = RopeScaling.Parse(fields.Path, fields.Json["rope_scaling"]),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", false),
            SlidingWindow = Window(fields),
        };
    }

    // Absent means transformers' default, null none.
    private static int? Window(ConfigFields fields) =>
        fields.Json.TryGetPropertyValue("sliding_window", out var window) && window is null
            ? null
            : fields.Size("sliding_window", 4096);
}
