using Pipelines.Models;

namespace Pipelines.Tests.Models;

public sealed class GgufVocabularyTests : IDisposable
{
    private const string Named = """{"bos_token":"<|bos|>","eos_token":{"content":"<|eos|>"},"unk_token":"nowhere"}""";

    private const string Added = """
        [{"id":8,"content":"<|bos|>","special":true},{"id":9,"content":"<|eos|>","special":false},
         {"id":11,"content":"[tool]","special":false},{"id":4,"content":"ab","special":true}]
        """;

    private const string Llama3 =
        """(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+""";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Says_tokens_their_kinds_and_merges_and_fills_the_gaps()
    {
        var vocabulary = Read(TinyTokenizer.Json(added: Added), Named, rows: 13);

        Assert.Equal(
            ["a", "b", "c", "Ġ", "ab", "bc", "abc", "Ġab", "<|bos|>", "<|eos|>", "[PAD10]", "[tool]", "[PAD12]"], vocabulary.Tokens);
        Assert.Equal(
            [
                .. Enumerable.Repeat(GgufTokenType.Normal, 4), GgufTokenType.Control, .. Enumerable.Repeat(GgufTokenType.Normal, 3),
                GgufTokenType.Control, GgufTokenType.Control, GgufTokenType.Unused, GgufTokenType.UserDefined, GgufTokenType.Unused,
            ],
            vocabulary.Types);
        Assert.Equal(["b c", "a b", "ab c", "Ġ ab"], vocabulary.Merges);
        Assert.Equal(("gpt-2", 8, 9, null), (vocabulary.PreTokenizer, vocabulary.Begin, vocabulary.End, vocabulary.Unknown));
        Assert.False(vocabulary.AddBegin);
    }

    [Fact]
    public void Merges_of_two_parts_are_those_of_one()
    {
        var vocabulary = Read(TinyTokenizer.Json(merges: """[["b","c"],["a","b"]]""", added: Added), Named);

        Assert.Equal(["b c", "a b"], vocabulary.Merges);
    }

    [Fact]
    public void Special_tokens_that_the_settings_do_not_name_are_those_of_the_config()
    {
        folder.Write("config.json", """{"eos_token_id":[6,5],"pad_token_id":7,"unk_token_id":99}""");

        var vocabulary = Read(TinyTokenizer.Json(), """{"chat_template":"{{ messages }}"}""");

        Assert.Equal((6, 6, 7, null), (vocabulary.Begin, vocabulary.End, vocabulary.Padding, vocabulary.Unknown));
        Assert.Equal("{{ messages }}", vocabulary.ChatTemplate);
    }

    [Theory]
    [InlineData("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<|bos|>","type_id":0}},{"Sequence":{"id":"A"}}]}""", "{}", true)]
    [InlineData("""{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"<|eos|>"}}]}""", "{}", false)]
    [InlineData("""{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<|bos|>"}}]}]}""", "{}", true)]
    [InlineData("""{"type":"ByteLevel"}""", "{}", false)]
    [InlineData("null", """{"add_bos_token":true}""", true)]
    public void Whether_a_prompt_gets_a_first_token_is_said_by_the_settings_or_the_template(string processor, string settings, bool adds)
    {
        folder.Write("config.json", """{"bos_token_id":8,"eos_token_id":9}""");
        var json = TinyTokenizer.Json(added: Added).Replace("\"post_processor\":null", $"\"post_processor\":{processor}", StringComparison.Ordinal);

        Assert.Equal(adds, Read(json, settings).AddBegin);
    }

    [Theory]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}""", false, "gpt-2")]
    [InlineData($$$"""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"{{{Llama3}}}"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""", true, "llama-bpe")]
    [InlineData($$$"""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"{{{Llama3}}}"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""", false, "dbrx")]
    public void A_way_of_cutting_that_llama_cpp_knows_has_its_name(string preTokenizer, bool ignoreMerges, string name)
    {
        var options = $"\"type\":\"BPE\",\"ignore_merges\":{(ignoreMerges ? "true" : "false")}";

        Assert.Equal(name, Read(TinyTokenizer.Json(preTokenizer, added: Added, options: options), Named).PreTokenizer);
    }

    [Theory]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true,"use_regex":true}""", "\"type\":\"BPE\"", "add_prefix_space")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}""", "\"type\":\"BPE\"", "no name for the way")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}""", "\"type\":\"BPE\",\"ignore_merges\":true", "no name for the way")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"x"},"behavior":"Isolated"},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""", "\"type\":\"BPE\"", "no name for the way")]
    public void A_way_of_cutting_that_it_does_not_know_is_refused(string preTokenizer, string options, string says)
    {
        var json = TinyTokenizer.Json(preTokenizer, added: Added, options: options);

        Assert.Contains(says, Assert.Throws<GgufException>(() => Read(json, Named)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_GGUF_cannot_say_is_refused_with_the_reason()
    {
        Assert.Contains("no token is said to end a text", Refusal(TinyTokenizer.Json(), "{}"), StringComparison.Ordinal);
        Assert.Contains("\"[tool]\" has the id 11, but the embedding has 11 rows", Refusal(TinyTokenizer.Json(added: Added), Named, 11), StringComparison.Ordinal);
        Assert.Contains("not JSON", Refusal(TinyTokenizer.Json(added: Added), "{"), StringComparison.Ordinal);
        Assert.Contains("expected a JSON object", Refusal(TinyTokenizer.Json(added: Added), "[]"), StringComparison.Ordinal);
        Assert.Contains("only BPE is", Assert.Throws<TokenizerException>(
            () => Read(TinyTokenizer.Json(options: "\"type\":\"Unigram\""), Named)).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<GgufException>(
            () => GgufVocabulary.Read(Path.Combine(folder.Path, "nowhere"), 8)).Message, StringComparison.Ordinal);

        string Refusal(string json, string settings, int rows = 12) => Assert.Throws<GgufException>(() => Read(json, settings, rows)).Message;
    }

    private GgufVocabulary Read(string json, string settings, int rows = 12)
    {
        folder.Write("tokenizer.json", json);
        folder.Write("tokenizer_config.json", settings);
        return GgufVocabulary.Read(folder.Path, rows);
    }
}
