using System.Diagnostics;
using System.Text.Json;
using Pipelines.Models;

namespace Pipelines.Tests.Models;

public sealed class BpeTrainerTests
{
    // Pieces: "low" and four times " low", twice " lower", " new". The pairs by count: l-o and o-w 7, then Ġ-l 6.
    // Of the first two, "l" comes first; then "lo" has taken the "o" of o-w, so lo-w has 7.
    private const string Text = "low low low low low lower lower new";

    [Fact]
    public void Merges_the_most_frequent_pair_and_among_equals_the_ordinally_first()
    {
        Assert.Equal(
            ["l o", "lo w", "Ġ low", "e r", "Ġlow er", "e w", "n ew", "Ġ new"],
            Merges(BpeTrainer.Train(Text, 256 + 8, [])));
    }

    [Fact]
    public void Stops_where_no_pair_is_left()
    {
        Tokenizer tokenizer = BpeTrainer.Train(Text, 2000, []);

        Assert.Equal(256 + 8, tokenizer.VocabularySize);
        Assert.Equal(256, BpeTrainer.Train("", 2000, []).VocabularySize);
    }

    [Fact]
    public void Gives_special_tokens_the_first_ids_and_bytes_the_next()
    {
        Tokenizer tokenizer = BpeTrainer.Train("aa aa", 260, ["<s>", "</s>"]);

        Assert.Equal([0, 2 + 'b', 258, 259, 1], tokenizer.Encode("<s>baa aa</s>"));
        Assert.Equal(260, tokenizer.VocabularySize);
    }

    [Fact]
    public void Learns_nothing_from_special_tokens() =>
        Assert.Equal(["a b"], Merges(BpeTrainer.Train("<|end|>ab<|end|><|end|>", 300, ["<|end|>"])));

    [Fact]
    public void Counts_a_run_of_one_symbol_by_what_is_merged() =>
        Assert.Equal(["a a", "aa a", "aa aaa"], Merges(BpeTrainer.Train("aaaaa", 300, [])));

    [Fact]
    public void Gives_the_same_file_for_the_same_text()
    {
        using var folder = new TemporaryFolder();
        string text = RandomText.Unicode(new Random(1), 5000);

        Tokenizer tokenizer = BpeTrainer.Train(text, 600, ["<s>"]);
        tokenizer.Save(folder.Path);
        Tokenizer read = Tokenizer.Load(folder.Path);

        Assert.Equal(tokenizer.Sha256, BpeTrainer.Train(text, 600, ["<s>"]).Sha256);
        Assert.Equal(tokenizer.Sha256, read.Sha256);
        Assert.Equal(tokenizer.Encode(text), read.Encode(text));
        Assert.Equal(text, read.Decode(read.Encode(text)));
        Assert.Equal("PreTrainedTokenizerFast", JsonElement.Parse(
            File.ReadAllText(Path.Combine(folder.Path, "tokenizer_config.json"))).GetProperty("tokenizer_class").GetString());
    }

    [Fact]
    public void Learns_as_counting_every_pair_anew_would()
    {
        var random = new Random(5);
        for (int round = 0; round < 20; round++)
        {
            string[] words =
                [.. Enumerable.Range(0, 60).Select(_ => new string(random.GetItems<char>("abc", random.Next(1, 9))))];
            Tokenizer trained = BpeTrainer.Train(string.Join('\n', words), 256 + 40, []);

            Assert.Equal(CountAnew(words), Merges(trained));
        }
    }

    [Theory]
    [InlineData(256, "<s>")]
    [InlineData(300, "")]
    [InlineData(300, "a")]
    [InlineData(300, "<s>", "<s>")]
    public void Refuses_special_tokens_that_do_not_fit(int size, params string[] specials) =>
        Assert.Throws<ArgumentException>(() => BpeTrainer.Train("text", size, specials));

    [Fact]
    public void Learns_a_megabyte_in_seconds()
    {
        string text = SharedFiles.Text("data/wikitext-2/valid.txt");
        var watch = Stopwatch.StartNew();

        Tokenizer tokenizer = BpeTrainer.Train(text, 2048, ["<s>"]);

        TestContext.Current.SendDiagnosticMessage($"Trained in {watch.Elapsed}.");
        Assert.Equal(2048, tokenizer.VocabularySize);
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"It took {watch.Elapsed}.");
    }

    private static List<string> CountAnew(string[] words)
    {
        List<List<string>> pieces = [.. words.Select(word => word.Select(letter => letter.ToString()).ToList())];
        var merges = new List<string>();
        var symbols = new HashSet<string>();
        while (symbols.Count < 40)
        {
            (string Left, string Right)[] pairs = [.. pieces.SelectMany(piece => piece.Zip(piece.Skip(1)))];
            if (pairs.Length == 0)
                break;
            (string left, string right) = pairs.GroupBy(pair => pair).OrderByDescending(group => group.Count())
                .ThenBy(group => group.Key.Left, StringComparer.Ordinal)
                .ThenBy(group => group.Key.Right, StringComparer.Ordinal).First().Key;
            if (!merges.Contains($"{left} {right}"))
                merges.Add($"{left} {right}");
            symbols.Add(left + right);
            foreach (List<string> piece in pieces)
            {
                for (int i = 0; i + 1 < piece.Count; i++)
                {
                    if (piece[i] != left || piece[i + 1] != right)
                        continue;
                    piece[i] = left + right;
                    piece.RemoveAt(i + 1);
                }
            }
        }
        return merges;
    }

    private static IEnumerable<string> Merges(Tokenizer tokenizer)
    {
        using var folder = new TemporaryFolder();
        tokenizer.Save(folder.Path);
        JsonElement file = JsonElement.Parse(File.ReadAllText(Path.Combine(folder.Path, "tokenizer.json")));
        return [.. file.GetProperty("model").GetProperty("merges").EnumerateArray().Select(merge => merge.GetString()!)];
    }
}
