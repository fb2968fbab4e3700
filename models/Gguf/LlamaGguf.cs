using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// A Llama in GGUF's words: keys and tensor names of the architecture "llama". GGUF has one width of each kind for all
/// blocks, and no place for biases that compression added.
/// </summary>
public sealed record LlamaGguf
{
    private const string RopeFactors = "rope_freqs.weight";

    /// <summary>For people.</summary>
    public required string Name { get; init; }

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int NumHiddenLayers { get; init; }

    public required int NumAttentionHeads { get; init; }

    public required int NumKeyValueHeads { get; init; }

    public required int HeadDim { get; init; }

    public required int VocabSize { get; init; }

    public required int MaxPositionEmbeddings { get; init; }

    public required double RmsNormEps { get; init; }

    public required double RopeTheta { get; init; }

    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Without an output matrix of its own the embedding serves.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>All keys but the tokenizer's.</summary>
    internal IEnumerable<KeyValuePair<string, GgufValue>> Keys(GgufType type)
    {
        yield return new("general.architecture", GgufValue.Of("llama"));
        yield return new("general.type", GgufValue.Of("model"));
        yield return new("general.name", GgufValue.Of(Name));
        yield return new(GgufHeader.AlignmentKey, GgufValue.Of(GgufHeader.StandardAlignment));
        yield return new("general.file_type", GgufValue.Of(FileType(type)));
        yield return new("general.quantization_version", GgufValue.Of(2));
        yield return new("llama.context_length", GgufValue.Of(MaxPositionEmbeddings));
        yield return new("llama.embedding_length", GgufValue.Of(HiddenSize));
        yield return new("llama.block_count", GgufValue.Of(NumHiddenLayers));
        yield return new("llama.feed_forward_length", GgufValue.Of(IntermediateSize));
        yield return new("llama.attention.head_count", GgufValue.Of(NumAttentionHeads));
        yield return new("llama.attention.head_count_kv", GgufValue.Of(NumKeyValueHeads));

        // Said always: a model with fewer heads than it began with has no other place for their size.
        yield return new("llama.attention.key_length", GgufValue.Of(HeadDim));
        yield return new("llama.attention.value_length", GgufValue.Of(HeadDim));
        yield return new("llama.attention.layer_norm_rms_epsilon", GgufValue.Of((float)RmsNormEps));
        yield return new("llama.rope.dimension_count", GgufValue.Of(HeadDim));
        yield return new("llama.rope.freq_base", GgufValue.Of((float)RopeTheta));
        if (RopeScaling is RopeScaling.Linearly linear)
        {
            yield return new("llama.rope.scaling.type", GgufValue.Of("linear"));
            yield return new("llama.rope.scaling.factor", GgufValue.Of((float)linear.Factor));
        }

        yield return new("llama.vocab_size", GgufValue.Of(VocabSize));
    }

    /// <summary>Every tensor of the file, in its order, with where it comes from.</summary>
    internal IEnumerable<GgufTensor> Tensors()
    {
        long hidden = HiddenSize, width = IntermediateSize;
        long queries = (long)NumAttentionHeads * HeadDim, keys = (long)NumKeyValueHeads * HeadDim;
        yield return new("model.embed_tokens.weight", "token_embd.weight", [VocabSize, hidden]);
        for (var layer = 0; layer < NumHiddenLayers; layer++)
        {
            var (from, to) = ($"model.layers.{layer}", $"blk.{layer}");
            yield return new($"{from}.input_layernorm.weight", $"{to}.attn_norm.weight", [hidden]);
            yield return new($"{from}.self_attn.q_proj.weight", $"{to}.attn_q.weight", [queries, hidden], NumAttentionHeads);
            yield return new($"{from}.self_attn.k_proj.weight", $"{to}.attn_k.weight", [keys, hidden], NumKeyValueHeads);
            yield return new($"{from}.self_attn.v_proj.weight", $"{to}.attn_v.weight", [keys, hidden]);
            yield return new($"{from}.self_attn.o_proj.weight", $"{to}.attn_output.weight", [hidden, queries]);
            yield return new($"{from}.post_attention_layernorm.weight", $"{to}.ffn_norm.weight", [hidden]);
            yield return new($"{from}.mlp.gate_proj.weight", $"{to}.ffn_gate.weight", [width, hidden]);
            yield return new($"{from}.mlp.up_proj.weight", $"{to}.ffn_up.weight", [width, hidden]);
            yield return new($"{from}.mlp.down_proj.weight", $"{to}.ffn_down.weight", [hidden, width]);
        }

        yield return new("model.norm.weight", "output_norm.weight", [hidden]);
        if (!TieWordEmbeddings)
            yield return new("lm_head.weight", "output.weight", [VocabSize, hidden]);
    }

    /// <summary>The divisor of each rotary frequency, where the scaling is one that the file says so.</summary>
    internal GgufSource? Factors()
    {
        if (RopeScaling is null or RopeScaling.Linearly)
            return null;
        var factors = Enumerable.Range(0, HeadDim / 2)
            .Select(pair => Math.Pow(RopeTheta, -2.0 * pair / HeadDim))
            .Select(frequency => (float)(frequency / RopeScaling.Scale(frequency)))
            .ToArray();
        return new GgufSource(RopeFactors, GgmlType.F32, [factors.Length], () => tensor(factors));
    }

    private static int FileType(GgufType type) => type switch
    {
        GgufType.F32 => 0,
        GgufType.F16 => 1,
        GgufType.Q8_0 => 7,
        _ => 32,
    };
}

/// <summary>A tensor's two names, its shape, and the heads whose rotary pairs are reordered.</summary>
/// <param name="Heads">0 where rows stay in order.</param>
internal sealed record GgufTensor(string Source, string Target, long[] Shape, int Heads = 0)
{
    /// <summary>
    /// The type in the file. Norms stay F32; a matrix whose rows are no whole blocks is F16 instead, as converters do.
    /// </summary>
    public GgufType TypeAs(GgufType type)
    {
        if (Shape.Length == 1)
            return GgufType.F32;
        return GgmlType.Of(type).Fits(Shape[^1]) ? type : GgufType.F16;
    }

    /// <summary>
    /// Hugging Face rotates row i of a head with row i + d/2, ggml's "llama" row 2i with row 2i + 1: within each head the
    /// halves are interleaved.
    /// </summary>
    public Tensor Permute(Tensor weight) => Heads == 0
        ? weight
        : weight.reshape(Heads, 2, Shape[0] / Heads / 2, Shape[1]).transpose(1, 2).reshape(Shape);

    /// <summary>The file's values in the source's order.</summary>
    public Tensor Restore(Tensor values)
    {
        if (Heads == 0)
            return values;
        var size = Shape[0] / Heads;
        using var rows = tensor(Enumerable.Range(0, (int)Shape[0]).Select(row => FileRow(row, size)).ToArray());
        return values.index_select(0, rows);
    }

    private static long FileRow(long row, long size)
    {
        var (head, within) = Math.DivRem(row, size);
        var (half, pair) = Math.DivRem(within, size / 2);
        return head * size + 2 * pair + half;
    }
}
