using System.Security.Cryptography;
using System.Text;
using Pipelines.Models;

namespace Pipelines.Tests.Models;

public sealed class TokenizerTests
{
    private const string Specials =
        """[{"id":8,"content":"<s>"},{"id":9,"content":"<s><s>"},{"id":11,"content":"a b","normalized":true}]""";

    [Theory]
    [InlineData("", new int[0])]
    [InlineData("ab", new[] { 4 })]
    [InlineData("abc", new[] { 0, 5 })]
    [InlineData("abab cab", new[] { 4, 4, 3, 2, 4 })]
    [InlineData("ab ab", new[] { 4, 7 })]
    [InlineData("bcbc", new[] { 5, 5 })]
    public void Merges_the_first_listed_pair_first(string text, int[] ids) =>
        Assert.Equal(ids, TinyTokenizer.Read(TinyTokenizer.Json()).Encode(text));

    [Fact]
    public void Reads_merges_written_as_pairs()
    {
        Tokenizer tokenizer = TinyTokenizer.Read(
            TinyTokenizer.Json(merges: """[["b","c"],["a","b"],["ab","c"],["Ġ","ab"]]"""));

        Assert.Equal([0, 5, 7], tokenizer.Encode("abc ab"));
    }

    [Fact]
    public void Takes_whole_pieces_from_the_vocabulary_where_merges_are_ignored()
    {
        Tokenizer tokenizer = TinyTokenizer.Read(TinyTokenizer.Json(options: "\"type\":\"BPE\",\"ignore_merges\":true"));

        Assert.Equal([6, 3, 0, 5], tokenizer.Encode("abc abc"));
    }

    [Fact]
    public void Puts_a_space_before_a_piece_where_the_file_asks_for_it()
    {
        Tokenizer tokenizer = TinyTokenizer.Read(
            TinyTokenizer.Json(TinyTokenizer.ByteLevel.Replace("_space\":false", "_space\":true", StringComparison.Ordinal)));

        Assert.Equal([7, 7], tokenizer.Encode("ab ab"));
        Assert.Equal([7], tokenizer.Encode(" ab"));
        Assert.Empty(tokenizer.Encode(""));
    }

    [Fact]
    public void Matches_the_longest_added_token_before_splitting()
    {
        Tokenizer tokenizer = TinyTokenizer.Read(TinyTokenizer.Json(added: Specials));

        Assert.Equal([4, 9, 8, 4, 8], tokenizer.Encode("ab<s><s><s>ab<s>"));
        Assert.Equal([11, 2], tokenizer.Encode("a bc"));
        Assert.Equal("ab<s><s><s>a bc", tokenizer.Decode(tokenizer.Encode("ab<s><s><s>a bc")));
    }

    [Fact]
    public void Counts_added_tokens_in_the_size_of_the_vocabulary()
    {
        Assert.Equal(8, TinyTokenizer.Read(TinyTokenizer.Json()).VocabularySize);
        Assert.Equal(12, TinyTokenizer.Read(TinyTokenizer.Json(added: Specials)).VocabularySize);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(10)]
    [InlineData(12)]
    public void Refuses_to_decode_an_id_outside_the_vocabulary(int id)
    {
        Tokenizer tokenizer = TinyTokenizer.Read(TinyTokenizer.Json(added: Specials));

        Assert.Contains($"{id}", Assert.Throws<TokenizerException>(() => tokenizer.Decode([id])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_byte_without_a_symbol() =>
        Assert.Contains("0x64", Assert.Throws<TokenizerException>(
            () => TinyTokenizer.Read(TinyTokenizer.Json()).Encode("abd")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("false", new[] { 4, 0, 0, 4 })]
    [InlineData("true", new[] { 4, 0, 4 })]
    public void Takes_the_unknown_token_for_a_byte_without_a_symbol(string fuse, int[] ids) => Assert.Equal(
        ids,
        TinyTokenizer.Read(TinyTokenizer.Json(options: $"\"unk_token\":\"a\",\"fuse_unk\":{fuse}")).Encode("abddab"));

    [Fact]
    public void Encodes_and_decodes_every_byte_and_every_kind_of_character()
    {
        Tokenizer tokenizer = TinyTokenizer.Read(TinyTokenizer.BytesJson());
        var random = new Random(7);
        for (int round = 0; round < 200; round++)
        {
            string text = RandomText.Unicode(random, 200);
            int[] ids = tokenizer.Encode(text);
            Assert.Equal(Encoding.UTF8.GetBytes(text).Select(value => (int)value), ids);
            Assert.Equal(text, tokenizer.Decode(ids));
        }
    }

    [Fact]
    public void Decodes_bytes_that_are_not_text_as_replacement_characters()
    {
        Tokenizer tokenizer = TinyTokenizer.Read(TinyTokenizer.BytesJson());

        Assert.Equal("a\uFFFDb\uFFFD", tokenizer.Decode(['a', 0xFF, 'b', 0xE2, 0x82]));
        Assert.Equal([0xEF, 0xBF, 0xBD], tokenizer.Encode("\uD800"));
    }

    [Fact]
    public void Merges_a_long_piece_in_reasonable_time()
    {
        Tokenizer tokenizer = TinyTokenizer.Read(TinyTokenizer.Json());

        Assert.Equal(200_000, tokenizer.Encode(string.Concat(Enumerable.Repeat("ab", 200_000))).Length);
    }

    [Fact]
    public void Encodes_the_same_from_several_threads()
    {
        Tokenizer tokenizer = TinyTokenizer.Read(TinyTokenizer.Json(added: Specials));
        int[] expected = tokenizer.Encode("abc ab<s>");

        Parallel.For(0, 200, _ => Assert.Equal(expected, tokenizer.Encode("abc ab<s>")));
    }

    [Fact]
    public void Saves_what_it_read_byte_for_byte()
    {
        using var source = new TemporaryFolder();
        using var target = new TemporaryFolder();
        string json = TinyTokenizer.Json(added: Specials);
        source.Write("tokenizer.json", json);
        source.Write("tokenizer_config.json", "{ \"bos_token\": \"<s>\" }");
        string folder = Path.Combine(target.Path, "new", "folder");

        Tokenizer tokenizer = Tokenizer.Load(source.Path);
        tokenizer.Save(folder);

        Assert.Equal(json, File.ReadAllText(Path.Combine(folder, "tokenizer.json")));
        Assert.Equal("{ \"bos_token\": \"<s>\" }", File.ReadAllText(Path.Combine(folder, "tokenizer_config.json")));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json))), tokenizer.Sha256);
        Assert.Equal(tokenizer.Sha256, Tokenizer.Load(folder).Sha256);
    }
}
