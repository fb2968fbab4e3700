using Pipelines.Models;

namespace Pipelines.Tests.Models;

public sealed class TokenizerFileTests
{
    private const string Sequence = "{\"type\":\"Sequence\",\"pretokenizers\":[";

    private const string Split = """{"type":"Split","pattern":{"Regex":"a"},"behavior":"Isolated","invert":false}""";

    [Fact]
    public void Refuses_a_file_that_is_missing()
    {
        using var folder = new TemporaryFolder();

        string message = Assert.Throws<TokenizerException>(() => Tokenizer.Load(folder.Path)).Message;

        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
        Assert.Throws<TokenizerException>(() => Tokenizer.Load(Path.Combine(folder.Path, "none")));
        Assert.Throws<TokenizerException>(() => Tokenizer.Read(folder.Path));
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("{\"model\":", "not JSON")]
    [InlineData("[]", "tokenizer is not an object")]
    [InlineData("{}", "ByteLevel")]
    public void Refuses_a_file_of_another_shape(string json, string fault) => AssertRefused(json, fault);

    [Theory]
    [InlineData("\"type\":\"WordPiece\"", "WordPiece")]
    [InlineData("\"type\":\"Unigram\"", "Unigram")]
    [InlineData("\"type\":1", "type is not a string")]
    [InlineData("\"byte_fallback\":true", "byte_fallback")]
    [InlineData("\"byte_fallback\":1", "byte_fallback is not true or false")]
    [InlineData("\"dropout\":0.1", "dropout")]
    [InlineData("\"continuing_subword_prefix\":\"##\"", "continuing_subword_prefix")]
    [InlineData("\"end_of_word_suffix\":\"</w>\"", "end_of_word_suffix")]
    [InlineData("\"unk_token\":\"<unk>\"", "unk_token needs \"<unk>\"")]
    public void Refuses_other_models_and_options(string options, string fault) =>
        AssertRefused(TinyTokenizer.Json(options: options), fault);

    [Theory]
    [InlineData("\"dropout\":0")]
    [InlineData("\"unk_token\":\"\",\"end_of_word_suffix\":\"\",\"continuing_subword_prefix\":\"\",\"dropout\":null")]
    public void Takes_the_ways_of_older_files_to_write_nothing(string options) =>
        Assert.Equal([4], TinyTokenizer.Read(TinyTokenizer.Json(options: options)).Encode("ab"));

    [Theory]
    [InlineData("{\"a\":0,\"a\":1}", "\"a\" twice")]
    [InlineData("{\"a\":0,\"b\":0}", "same id 0")]
    [InlineData("{\"a\":-1}", "the id of \"a\"")]
    [InlineData("{\"a\":99999999999}", "the id of \"a\"")]
    [InlineData("{\"a\":2000000000}", "the id of \"a\"")]
    [InlineData("{\"a\":\"0\"}", "the id of \"a\"")]
    [InlineData("{\"\\uD800\":0}", "not valid Unicode")]
    [InlineData("[]", "vocab is not an object")]
    [InlineData("null", "no vocab")]
    public void Refuses_a_broken_vocabulary(string vocabulary, string fault) =>
        AssertRefused(TinyTokenizer.Json(vocabulary: vocabulary, merges: "[]"), fault);

    [Theory]
    [InlineData("[\"a x\"]", "needs \"x\"")]
    [InlineData("[\"x a\"]", "needs \"x\"")]
    [InlineData("[\"a c\"]", "needs \"ac\"")]
    [InlineData("[[\"a\",\"c\"]]", "needs \"ac\"")]
    [InlineData("[\"ab\"]", "two parts")]
    [InlineData("[\"a b c\"]", "two parts")]
    [InlineData("[[\"a\"]]", "two parts")]
    [InlineData("[1]", "not a string")]
    [InlineData("[[1,2]]", "not a string")]
    [InlineData("{}", "merges is not an array")]
    [InlineData("null", "no merges")]
    public void Refuses_broken_merges(string merges, string fault) => AssertRefused(TinyTokenizer.Json(merges: merges), fault);

    [Theory]
    [InlineData("null", "ByteLevel")]
    [InlineData("{\"type\":\"Whitespace\"}", "Whitespace")]
    [InlineData("{\"type\":\"Sequence\",\"pretokenizers\":[]}", "ByteLevel")]
    [InlineData("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"}]}", "Digits")]
    [InlineData($"{Sequence}{TinyTokenizer.ByteLevel},{TinyTokenizer.ByteLevel}]}}", "one ByteLevel")]
    [InlineData(Split, "ByteLevel")]
    [InlineData("{}", "no type")]
    public void Refuses_other_pre_tokenizers(string preTokenizer, string fault) =>
        AssertRefused(TinyTokenizer.Json(preTokenizer), fault);

    [Theory]
    [InlineData("Isolated", "Removed", "Removed")]
    [InlineData("false", "true", "invert")]
    [InlineData("\"Regex\"", "\"String\"", "Regex")]
    [InlineData("\"a\"", "\"(\"", "expression (")]
    [InlineData("\"a\"", "\"\\\\p{Han}\"", "Han")]
    public void Refuses_other_splits(string part, string other, string fault) => AssertRefused(
        TinyTokenizer.Json(
            $"{Sequence}{Split.Replace(part, other, StringComparison.Ordinal)},{TinyTokenizer.ByteLevel}]}}"),
        fault);

    [Fact]
    public void Refuses_a_normalizer_and_another_decoder()
    {
        AssertRefused(TinyTokenizer.Json(normalizer: "{\"type\":\"NFKC\"}"), "NFKC");
        AssertRefused(
            TinyTokenizer.Json().Replace("{\"type\":\"ByteLevel\"}", "{\"type\":\"Metaspace\"}", StringComparison.Ordinal),
            "Metaspace");
    }

    [Theory]
    [InlineData("[{\"id\":7,\"content\":\"<s>\"}]", "same id 7")]
    [InlineData("[{\"id\":8,\"content\":\"ab\"}]", "has the id 8, but 4")]
    [InlineData("[{\"id\":8,\"content\":\"\"}]", "empty")]
    [InlineData("[{\"id\":8,\"content\":\"x\"},{\"id\":8,\"content\":\"x\"}]", "twice")]
    [InlineData("[{\"content\":\"x\"}]", "no id")]
    [InlineData("[{\"id\":8,\"content\":\"x\",\"lstrip\":true}]", "lstrip")]
    [InlineData("[{\"id\":8,\"content\":\"x\",\"rstrip\":true}]", "rstrip")]
    [InlineData("[{\"id\":8,\"content\":\"x\",\"single_word\":true}]", "single_word")]
    public void Refuses_broken_added_tokens(string added, string fault) =>
        AssertRefused(TinyTokenizer.Json(added: added), fault);

    private static void AssertRefused(string json, string fault)
    {
        string message = Assert.Throws<TokenizerException>(() => TinyTokenizer.Read(json)).Message;

        Assert.Contains("tokenizer.json: ", message, StringComparison.Ordinal);
        Assert.Contains(fault, message, StringComparison.Ordinal);
    }
}
