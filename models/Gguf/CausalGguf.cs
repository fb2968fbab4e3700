using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>Language models on their way into GGUF, and back.</summary>
public static class CausalGguf
{
    // What llama.cpp's converters write as "llama".
    private static readonly string[] Architectures = ["LlamaForCausalLM", "MistralForCausalLM"];

    /// <param name="name">For people.</param>
    /// <exception cref="GgufException">GGUF's llama computes something else than this model.</exception>
    public static LlamaGguf Of(CausalLM model, string name)
    {
        var config = model.Config;
        if (!Architectures.Contains(config.Architecture))
        {
            throw new GgufException(
                $"the architecture is {config.Architecture}: expected one that GGUF's llama covers, {string.Join(" or ", Architectures)}");
        }

        if (config.Activation != Activation.Silu)
            throw new GgufException($"the activation is {config.Activation}: GGUF's llama has Silu");
        if (model.NamedBuffers().FirstOrDefault() is { Name: { } buffer })
            throw new GgufException($"tensor '{buffer}' says which channels are left: GGUF's llama has all of them, in order");
        return new LlamaGguf
        {
            Name = name,
            HiddenSize = config.HiddenSize,
            IntermediateSize = config.IntermediateSize,
            NumHiddenLayers = model.Blocks.Count,
            NumAttentionHeads = config.NumAttentionHeads,
            NumKeyValueHeads = config.NumKeyValueHeads,
            HeadDim = config.HeadDim,
            VocabSize = config.VocabSize,

            // GGUF's llama sees all keys. As far as the window goes, that is the same.
            MaxPositionEmbeddings = Math.Min(config.MaxPositionEmbeddings, config.SlidingWindow ?? int.MaxValue),
            RmsNormEps = config.NormEps,
            RopeTheta = config.RopeTheta,
            RopeScaling = config.RopeScaling,
            TieWordEmbeddings = model.Head is null,
        };
    }

    /// <summary>The model with the file's values, float32: what llama.cpp computes with, up to the order of its sums.</summary>
    /// <param name="config">Of the model that was written.</param>
    /// <param name="model">What it was written as.</param>
    /// <exception cref="GgufException">A tensor is missing, or not of the shape that was written.</exception>
    public static CausalLM Load(string path, CausalConfig config, LlamaGguf model)
    {
        using var scope = NewDisposeScope();
        using var file = GgufFile.Open(path);
        var tensors = model.Tensors().ToDictionary(tensor => tensor.Source, StringComparer.Ordinal);
        return new CausalAssembly(config, Read, _ => false).Build(ExportManifest.Plain(config));

        Tensor Read(string name, long[] shape)
        {
            var values = tensors[name].Restore(file.Floats(tensors[name].Target));
            return values.shape.SequenceEqual(shape)
                ? values
                : throw new GgufException(
                    $"{path}: tensor '{name}' has shape [{string.Join(", ", values.shape)}]: expected [{string.Join(", ", shape)}]");
        }
    }
}
