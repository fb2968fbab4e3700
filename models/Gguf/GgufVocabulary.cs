using System.Text.Json;

namespace Pipelines.Models;

/// <summary>What a token is to llama.cpp, with the format's numbers.</summary>
public enum GgufTokenType
{
    Normal = 1,

    /// <summary>Has a meaning to the model and is no text.</summary>
    Control = 3,

    /// <summary>Is found in the text before it is cut into pieces.</summary>
    UserDefined = 4,

    /// <summary>An id that the tokenizer never gives.</summary>
    Unused = 5,
}

/// <summary>A byte-level BPE tokenizer as GGUF says it; llama.cpp calls the kind "gpt2".</summary>
/// <param name="Tokens">By id, one for each row of the embedding; bytes as the printable characters that stand for them.</param>
/// <param name="Types">By id.</param>
/// <param name="Merges">Two tokens and a space between them, first merge first.</param>
/// <param name="PreTokenizer">llama.cpp's name for how text is cut into pieces.</param>
/// <param name="Begin">The id of the token that begins a text; where the model has none, the one that ends it.</param>
/// <param name="End">The id of the token that ends a text.</param>
/// <param name="AddBegin">Whether every prompt begins with <paramref name="Begin"/>.</param>
public sealed record GgufVocabulary(
    IReadOnlyList<string> Tokens, IReadOnlyList<GgufTokenType> Types, IReadOnlyList<string> Merges, string PreTokenizer,
    int Begin, int End, bool AddBegin)
{
    public int? Unknown { get; init; }

    public int? Padding { get; init; }

    /// <summary>A Jinja template.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>
    /// Reads <c>tokenizer.json</c>; the special tokens are those that <c>tokenizer_config.json</c> names, or else <c>config.json</c>.
    /// </summary>
    /// <param name="rows">Of the embedding; ids up to there that stand for nothing are filled with unused tokens.</param>
    /// <exception cref="TokenizerException">The tokenizer is no byte-level BPE, or its file is malformed.</exception>
    /// <exception cref="GgufException">GGUF cannot say it.</exception>
    public static GgufVocabulary Read(string folder, int rows)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        try
        {
            var bytes = File.ReadAllBytes(path);
            var checkedFile = new TokenizerFile(bytes, path);
            using var file = JsonDocument.Parse(bytes);
            using var settings = Settings(folder, "tokenizer_config.json");
            using var config = Settings(folder, "config.json");
            return new GgufVocabularyReader(path, checkedFile, file.RootElement, settings.RootElement, config.RootElement).Read(rows);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GgufException($"{path}: the tokenizer cannot be read: {error.Message}", error);
        }
    }

    internal IEnumerable<KeyValuePair<string, GgufValue>> Keys()
    {
        yield return new("tokenizer.ggml.model", GgufValue.Of("gpt2"));
        yield return new("tokenizer.ggml.pre", GgufValue.Of(PreTokenizer));
        yield return new("tokenizer.ggml.tokens", GgufValue.Of(Tokens));
        yield return new("tokenizer.ggml.token_type", GgufValue.Of(Types.Select(type => (int)type)));
        yield return new("tokenizer.ggml.merges", GgufValue.Of(Merges));
        yield return new("tokenizer.ggml.bos_token_id", GgufValue.Of(Begin));
        yield return new("tokenizer.ggml.eos_token_id", GgufValue.Of(End));
        if (Unknown is { } unknown)
            yield return new("tokenizer.ggml.unknown_token_id", GgufValue.Of(unknown));
        if (Padding is { } padding)
            yield return new("tokenizer.ggml.padding_token_id", GgufValue.Of(padding));
        yield return new("tokenizer.ggml.add_bos_token", GgufValue.Of(AddBegin));
        if (ChatTemplate is not null)
            yield return new("tokenizer.chat_template", GgufValue.Of(ChatTemplate));
    }

    private static JsonDocument Settings(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        try
        {
            var settings = JsonDocument.Parse(File.Exists(path) ? File.ReadAllBytes(path) : "{}"u8.ToArray());
            return settings.RootElement.ValueKind == JsonValueKind.Object
                ? settings
                : throw new GgufException($"{path}: expected a JSON object");
        }
        catch (JsonException error)
        {
            throw new GgufException($"{path}: not JSON: {error.Message}", error);
        }
    }
}
