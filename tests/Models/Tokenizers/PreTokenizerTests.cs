using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pipelines.Models;

namespace Pipelines.Tests.Models;

public sealed class PreTokenizerTests
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    [Theory]
    [InlineData("I'll say it's we've", "I|'ll| say| it|'s| we|'ve")]
    [InlineData("he'S 'tis 'x", "he|'|S| '|tis| '|x")]
    [InlineData("a   b  ", "a|  | b|  ")]
    [InlineData("a\n\n b\t", "a|\n\n| b|\t")]
    [InlineData("a\n\nb", "a|\n|\n|b")]
    [InlineData("x1234y, ok!?", "x|1234|y|,| ok|!?")]
    [InlineData("\"'s", "\"'|s")]
    [InlineData("naïve 中文 ½²", "naïve| 中文| ½²")]
    [InlineData("e\u0301a \u00A0x", "e|\u0301|a| |\u00A0|x")]
    [InlineData("𝐀𝐁 𠀀x𝟏𝟐😀", "𝐀𝐁| 𠀀x|𝟏𝟐|😀")]
    public void Splits_as_gpt2_does(string text, string pieces) => AssertPieces(TinyTokenizer.ByteLevel, text, pieces.Split('|'));

    [Theory]
    [InlineData("I'LL say 12345 it's\r\n\n x!\n", "I|'LL| say| |123|45| it|'s|\r\n\n| x|!\n")]
    [InlineData("(word) 𝐀𝐁😀𝟏𝟐𝟑𝟒", "(word|)| 𝐀𝐁|😀|𝟏𝟐𝟑|𝟒")]
    public void Splits_by_an_expression_as_llama3_does(string text, string pieces) =>
        AssertPieces(Expression(Llama3), text, pieces.Split('|'));

    [Fact]
    public void Splits_as_the_expression_of_gpt2_does_on_any_text()
    {
        var expression = new Regex(Gpt2, RegexOptions.CultureInvariant);
        var random = new Random(3);
        for (int round = 0; round < 300; round++)
        {
            string text = RandomText.BasicPlane(random, 300);
            AssertPieces(TinyTokenizer.ByteLevel, text, [.. expression.Matches(text).Select(match => match.Value)]);
        }
    }

    [Fact]
    public void Agrees_with_the_expression_on_every_character()
    {
        Tokenizer byHand = TinyTokenizer.Read(OneIdPerPiece(TinyTokenizer.ByteLevel));
        Tokenizer byExpression = TinyTokenizer.Read(OneIdPerPiece(Expression(Gpt2)));
        for (int code = 0; code <= 0x10FFFF; code++)
        {
            if (!Rune.IsValid(code))
                continue;
            var rune = new Rune(code);
            string text = $"a{rune}1{rune}!{rune} {rune}{rune}a";
            int pieces = byExpression.Encode(text).Length;
            if (pieces != byHand.Encode(text).Length)
                Assert.Fail($"U+{code:X4} is split otherwise than by the expression.");
        }
    }

    [Fact]
    public void Keeps_a_text_whole_without_an_expression() => AssertPieces(
        TinyTokenizer.ByteLevel.Replace("regex\":true", "regex\":false", StringComparison.Ordinal), "a b, 12", ["a b, 12"]);

    [Fact]
    public void Splits_at_empty_matches() => AssertPieces(Expression("(?=b)"), "abab", ["a", "ba", "b"]);

    // A vocabulary of the expected pieces, taken whole: any other piece becomes bytes.
    private static void AssertPieces(string preTokenizer, string text, IReadOnlyList<string> pieces)
    {
        var ids = new Dictionary<string, int>();
        foreach (char symbol in TinyTokenizer.Symbols)
            ids.Add(symbol.ToString(), ids.Count);
        int[] expected = [.. pieces.Select(piece =>
        {
            string symbols = string.Concat(Encoding.UTF8.GetBytes(piece).Select(value => TinyTokenizer.Symbols[value]));
            ids.TryAdd(symbols, ids.Count);
            return ids[symbols];
        })];
        Tokenizer tokenizer = TinyTokenizer.Read(TinyTokenizer.Json(
            preTokenizer, JsonSerializer.Serialize(ids), "[]", options: "\"type\":\"BPE\",\"ignore_merges\":true"));

        Assert.Equal(expected, tokenizer.Encode(text));
    }

    // No byte has a symbol, and the unknown ones of a piece are fused.
    private static string OneIdPerPiece(string preTokenizer) => TinyTokenizer.Json(
        preTokenizer, """{"unknown":0}""", "[]", options: "\"type\":\"BPE\",\"unk_token\":\"unknown\",\"fuse_unk\":true");

    private static string Expression(string pattern) =>
        $$$"""
        {"type":"Sequence","pretokenizers":[
        {"type":"Split","pattern":{"Regex":{{{JsonSerializer.Serialize(pattern)}}}},"behavior":"Isolated","invert":false},
        {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}
        """;
}
