using System.Text.Json;

namespace Pipelines.Models;

/// <summary>
/// llama.cpp knows the ways to cut a text into pieces by name, not by expression, and some names decide more than that.
/// </summary>
internal static class GgufPreTokenizer
{
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Rest = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Words = @"|[^\r\n\p{L}\p{N}]?\p{L}+";

    // Under the name of Llama 3, a piece that is a token is not merged; "dbrx" has the same expression without that.
    private static readonly (string Name, string Expression, bool IgnoreMerges)[] Known =
    [
        ("llama-bpe", Contractions + Words + @"|\p{N}{1,3}" + Rest, true),
        ("dbrx", Contractions + Words + @"|\p{N}{1,3}" + Rest, false),
        ("qwen2", Contractions + Words + @"|\p{N}" + Rest, false),
    ];

    /// <param name="file">A <c>tokenizer.json</c> that has been checked.</param>
    /// <param name="fault">Makes the exception.</param>
    public static string Name(JsonElement file, Func<string, GgufException> fault)
    {
        var steps = Flatten(file.GetProperty("pre_tokenizer")).ToArray();
        var ignoreMerges = Flag(file.GetProperty("model"), "ignore_merges", missing: false);
        var byteLevel = steps[^1];
        if (Flag(byteLevel, "add_prefix_space", missing: true))
            throw fault("add_prefix_space puts a space before every text, which llama.cpp does not do for byte-level tokenizers");
        var (splits, gpt2) = (steps[..^1], Flag(byteLevel, "use_regex", missing: true));
        if (splits.Length == 0 && gpt2 && !ignoreMerges)
            return "gpt-2";
        if (splits.Length == 1 && !gpt2)
        {
            var expression = splits[0].GetProperty("pattern").GetProperty("Regex").GetString();
            if (Array.Find(Known, known => known.Expression == expression && known.IgnoreMerges == ignoreMerges) is { Name: { } name })
                return name;
        }

        throw fault("llama.cpp has no name for the way this tokenizer cuts a text into pieces: expected that of GPT-2, "
            + "Llama 3 or Qwen 2");
    }

    private static IEnumerable<JsonElement> Flatten(JsonElement step) =>
        step.TryGetProperty("pretokenizers", out var steps) ? steps.EnumerateArray().SelectMany(Flatten) : [step];

    private static bool Flag(JsonElement parent, string name, bool missing) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : missing;
}
