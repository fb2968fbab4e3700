using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>What a check of a written file found.</summary>
/// <param name="Tensors">How many were compared.</param>
/// <param name="Values">In all of them.</param>
/// <param name="Zeros">Of these, exactly zero in the file.</param>
/// <param name="LargestError">The largest difference of a value from its source.</param>
/// <param name="Bytes">The file's size.</param>
public sealed record GgufCheck(int Tensors, long Values, long Zeros, double LargestError, long Bytes);

/// <summary>Writes a model as GGUF for llama.cpp, and checks what was written.</summary>
public static class GgufModel
{
    /// <param name="type">Of the matrices; norms are F32, and F16 stands in where rows are no whole blocks.</param>
    /// <param name="tensors">Under Hugging Face's names; all of them, each once. Read one at a time.</param>
    /// <exception cref="GgufException">GGUF cannot say this model.</exception>
    /// <exception cref="IOException">The disk is full, or the folder cannot be written; no file is left behind.</exception>
    public static void Write(
        string path, GgufType type, LlamaGguf model, GgufVocabulary vocabulary, IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        if (vocabulary.Tokens.Count != model.VocabSize)
            throw new GgufException($"the vocabulary has {vocabulary.Tokens.Count} tokens, the embedding {model.VocabSize} rows");
        var sources = Match(model, tensors).Select(pair => Source(pair.Tensor, pair.Weight, type)).ToList();
        if (model.Factors() is { } factors)
            sources.Add(factors);
        GgufWriter.Write(path, [.. model.Keys(type), .. vocabulary.Keys()], sources);
    }

    /// <summary>
    /// Opens the file again: keys as they were meant; every tensor in its source's order within the type's rounding, and
    /// zero wherever the source is.
    /// </summary>
    /// <param name="path">What <see cref="Write"/> wrote, given the same arguments.</param>
    /// <exception cref="GgufException">The file is not what was to be written; the message says where.</exception>
    public static GgufCheck Check(
        string path, GgufType type, LlamaGguf model, GgufVocabulary vocabulary, IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        using var file = GgufFile.Open(path);
        foreach (var (key, value) in model.Keys(type).Concat(vocabulary.Keys()))
        {
            if (!file.Values.TryGetValue(key, out var found) || found != value)
                throw new GgufException($"{path}: {key} is {found?.ToString() ?? "missing"}: expected {value}");
        }

        var matched = Match(model, tensors);
        var expected = matched.Count + (model.Factors() is null ? 0 : 1);
        if (file.Tensors.Count != expected)
            throw new GgufException($"{path}: there are {file.Tensors.Count} tensors: expected {expected}");
        var check = new GgufCheck(0, 0, 0, 0, new FileInfo(path).Length);
        foreach (var (tensor, weight) in matched)
            check = Add(check, Compare(file, tensor, weight, type));
        return check;
    }

    private static GgufCheck Add(GgufCheck sum, GgufCheck one) => sum with
    {
        Tensors = sum.Tensors + one.Tensors,
        Values = sum.Values + one.Values,
        Zeros = sum.Zeros + one.Zeros,
        LargestError = Math.Max(sum.LargestError, one.LargestError),
    };

    private static GgufSource Source(GgufTensor tensor, Tensor weight, GgufType type)
    {
        var source = GgufSource.Of(tensor.Target, weight, tensor.TypeAs(type));
        if (tensor.Heads == 0)
            return source;
        return source with
        {
            Read = () =>
            {
                using var permuted = tensor.Permute(weight.detach());
                return GgufSource.Of(tensor.Target, permuted, tensor.TypeAs(type)).Read();
            },
        };
    }

    private static List<(GgufTensor Tensor, Tensor Weight)> Match(
        LlamaGguf model, IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        var given = tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Tensor, StringComparer.Ordinal);
        var matched = new List<(GgufTensor Tensor, Tensor Weight)>();
        foreach (var tensor in model.Tensors())
        {
            if (!given.Remove(tensor.Source, out var weight))
                throw new GgufException($"tensor '{tensor.Source}' is missing, which GGUF's llama has");
            if (!weight.shape.SequenceEqual(tensor.Shape))
            {
                throw new GgufException($"tensor '{tensor.Source}' has shape [{string.Join(", ", weight.shape)}]: expected "
                    + $"[{string.Join(", ", tensor.Shape)}]. GGUF has one width for all blocks: layers of different widths cannot be said");
            }

            matched.Add((tensor, weight));
        }

        if (given.Keys.Order(StringComparer.Ordinal).FirstOrDefault() is { } other)
        {
            throw new GgufException(other.EndsWith(".bias", StringComparison.Ordinal)
                ? $"tensor '{other}' is a bias: GGUF's llama has none"
                : $"tensor '{other}' has no place in GGUF's llama");
        }

        return matched;
    }

    private static GgufCheck Compare(GgufFile file, GgufTensor tensor, Tensor weight, GgufType type)
    {
        using var scope = NewDisposeScope();
        var stored = tensor.TypeAs(type);
        if (!file.Tensors.TryGetValue(tensor.Target, out var entry) || entry.Type != GgmlType.Of(stored) || !entry.Shape.SequenceEqual(tensor.Shape))
            throw new GgufException($"{file.Path}: tensor '{tensor.Target}' is missing, or not {stored} [{string.Join(", ", tensor.Shape)}]");
        var source = weight.detach().cpu().to(ScalarType.Float32);
        var values = tensor.Restore(file.Floats(tensor.Target));
        var error = (values.to(ScalarType.Float64) - source.to(ScalarType.Float64)).abs();
        var excess = stored == GgufType.Q8_0
            ? (error.reshape(-1, 32).amax([1]) - Q8.Bounds(source.reshape(-1, 32).abs().amax([1]).to(ScalarType.Float64))).gt(0).sum()
            : values.ne(source.to(GgmlType.Of(stored).Type!.Value).to(ScalarType.Float32)).sum();
        if (excess.ToInt64() is var wrong and > 0)
            throw new GgufException($"{file.Path}: tensor '{tensor.Target}' differs from '{tensor.Source}' by more than {stored} rounds, {wrong} times");
        if (source.eq(0).logical_and(values.ne(0)).sum().ToInt64() is var lost and > 0)
            throw new GgufException($"{file.Path}: {lost} zeros of '{tensor.Source}' are none in the file");
        return new GgufCheck(1, source.numel(), values.eq(0).sum().ToInt64(), error.max().ToDouble(), 0);
    }
}
