using System.Text.Json;

namespace Pipelines.Models;

/// <summary>Says a checked <c>tokenizer.json</c> in GGUF's words.</summary>
/// <param name="settings"><c>tokenizer_config.json</c>.</param>
/// <param name="config"><c>config.json</c>.</param>
internal sealed class GgufVocabularyReader(
    string path, TokenizerFile tokenizer, JsonElement file, JsonElement settings, JsonElement config)
{
    private readonly Dictionary<string, int> ids = tokenizer.Contents.ToDictionary(
        token => token.Value, token => token.Key, StringComparer.Ordinal);

    public GgufVocabulary Read(int rows)
    {
        var tokens = new string[rows];
        var types = new GgufTokenType[rows];
        for (var id = 0; id < rows; id++)
        {
            tokens[id] = $"[PAD{id}]";
            types[id] = GgufTokenType.Unused;
        }

        foreach (var (id, content) in tokenizer.Contents)
        {
            if (id >= rows)
                throw Fault($"the token \"{content}\" has the id {id}, but the embedding has {rows} rows");
            (tokens[id], types[id]) = (content, GgufTokenType.Normal);
        }

        var special = Special();
        foreach (var token in tokenizer.AddedTokens)
            types[token.Id] = special.Contains(token.Id) ? GgufTokenType.Control : GgufTokenType.UserDefined;

        // Without one llama.cpp takes id 11, whatever that is, and ends every text there.
        var end = Named("eos") ?? throw Fault("no token is said to end a text: expected eos_token in tokenizer_config.json "
            + "or eos_token_id in config.json, which GGUF must name");
        var begin = Named("bos");
        return new GgufVocabulary(
            tokens, types, [.. Merges()], GgufPreTokenizer.Name(file, Fault), begin ?? end, end, AddsBegin(begin))
        {
            Unknown = Named("unk"),
            Padding = Named("pad"),
            ChatTemplate = Text(settings, "chat_template"),
        };
    }

    private HashSet<int> Special() => file.TryGetProperty("added_tokens", out var added) && added.ValueKind == JsonValueKind.Array
        ? [.. from token in added.EnumerateArray()
              let content = token.GetProperty("content").GetString()
              where Flag(token, "special") == true || LooksSpecial(content)
              select ids[content]]
        : [];

    // As converters do: some tokenizers forget to say so of <|im_end|>, say.
    private static bool LooksSpecial(string content) =>
        content.StartsWith("<|", StringComparison.Ordinal) && content.EndsWith("|>", StringComparison.Ordinal);

    private IEnumerable<string> Merges()
    {
        foreach (var merge in file.GetProperty("model").GetProperty("merges").EnumerateArray())
        {
            if (merge.ValueKind == JsonValueKind.String)
            {
                yield return merge.GetString()!;
                continue;
            }

            var (left, right) = (merge[0].GetString()!, merge[1].GetString()!);
            if (left.Contains(' ') || right.Contains(' '))
                throw Fault($"the merge \"{left}\" \"{right}\" has a space in it, which GGUF has between the two");
            yield return $"{left} {right}";
        }
    }

    /// <summary>The id of a special token by its role: bos, eos, unk or pad.</summary>
    private int? Named(string role)
    {
        var content = Text(settings, $"{role}_token");
        if (content is null && settings.TryGetProperty($"{role}_token", out var token) && token.ValueKind == JsonValueKind.Object)
            content = Text(token, "content");
        if (content is not null && ids.TryGetValue(content, out var id))
            return id;
        if (!config.TryGetProperty($"{role}_token_id", out var number))
            return null;

        // The chat models of Llama 3 have several that end a text; the first is the one that GGUF can say.
        if (number.ValueKind == JsonValueKind.Array && number.GetArrayLength() > 0)
            number = number[0];
        return number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out var said) && tokenizer.Contents.ContainsKey(said)
            ? said
            : null;
    }

    // Where the settings do not say, the file's own template for a single text does.
    private bool AddsBegin(int? begin)
    {
        if (begin is null)
            return false;
        if (Flag(settings, "add_bos_token") is { } said)
            return said;
        return Processors(file)
            .Where(processor => Text(processor, "type") == "TemplateProcessing" && processor.TryGetProperty("single", out _))
            .Select(processor => processor.GetProperty("single"))
            .Any(single => single.ValueKind == JsonValueKind.Array && single.GetArrayLength() > 0
                && single[0].TryGetProperty("SpecialToken", out var first)
                && Text(first, "id") is { } content && ids.TryGetValue(content, out var id) && id == begin);
    }

    private static JsonElement[] Processors(JsonElement file)
    {
        if (!file.TryGetProperty("post_processor", out var processor) || processor.ValueKind != JsonValueKind.Object)
            return [];
        return processor.TryGetProperty("processors", out var several) && several.ValueKind == JsonValueKind.Array
            ? [.. several.EnumerateArray()]
            : [processor];
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool? Flag(JsonElement parent, string name) => parent.TryGetProperty(name, out var value)
        ? value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        }
        : null;

    private GgufException Fault(string message) => new($"{path}: {message}");
}
