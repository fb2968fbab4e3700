using System.Text.Json;
using Pipelines.Models;

namespace Pipelines.Tests.Models;

/// <summary>A vocabulary small enough to work by hand, and files made from it by changing one part.</summary>
internal static class TinyTokenizer
{
    public const string ByteLevel = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""";
    public const string Vocabulary = """{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"bc":5,"abc":6,"Ġab":7}""";
    public const string Merges = """["b c","a b","ab c","Ġ ab"]""";

    public static string Json(
        string preTokenizer = ByteLevel, string vocabulary = Vocabulary, string merges = Merges, string normalizer = "null",
        string added = "[]", string options = "\"type\":\"BPE\"") =>
        $$"""
        {"version":"1.0","truncation":null,"padding":null,"added_tokens":{{added}},"normalizer":{{normalizer}},
        "pre_tokenizer":{{preTokenizer}},"post_processor":null,"decoder":{"type":"ByteLevel"},
        "model":{ {{options}},"vocab":{{vocabulary}},"merges":{{merges}} } }
        """;

    public static Tokenizer Read(string json)
    {
        using var folder = new TemporaryFolder();
        return Tokenizer.Read(folder.Write("tokenizer.json", json));
    }

    /// <summary>The symbol of each byte.</summary>
    public static IReadOnlyList<char> Symbols { get; } = [.. AllSymbols()];

    /// <summary>Every byte has a symbol and nothing merges, so that the ids are the bytes.</summary>
    public static string BytesJson() => Json(
        vocabulary: JsonSerializer.Serialize(Symbols.Index().ToDictionary(x => x.Item.ToString(), x => x.Index)),
        merges: "[]");

    private static IEnumerable<char> AllSymbols()
    {
        int next = 256;
        for (int value = 0; value < 256; value++)
            yield return (char)(value is >= 33 and <= 126 or >= 161 and <= 172 or >= 174 ? value : next++);
    }
}
