using System.Runtime.InteropServices;
using System.Text;

namespace Pipelines.Models;

/// <summary>Learns a byte-level BPE vocabulary from a text.</summary>
public static class BpeTrainer
{
    private const int Bytes = 256;

    /// <summary>
    /// The special tokens take the first ids, the bytes the next 256, and merges the rest: always the most frequent
    /// pair, and among equals the first by its symbols, ordinally. Special tokens in the text are not learned from.
    /// The vocabulary stays smaller than asked where the text has no pair left to merge.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// A special token is empty, there twice or the symbol of a byte, or the vocabulary is too small for the special
    /// tokens and the bytes.
    /// </exception>
    public static Tokenizer Train(string text, int vocabularySize, IReadOnlyList<string> specialTokens)
    {
        List<string> symbols =
            [.. specialTokens, .. Enumerable.Range(0, Bytes).Select(b => ByteSymbols.Of((byte)b).ToString())];
        if (specialTokens.Contains("") || symbols.Distinct(StringComparer.Ordinal).Count() < symbols.Count)
        {
            throw new ArgumentException(
                "Special tokens must be distinct, not empty, and no symbols of bytes.", nameof(specialTokens));
        }
        if (vocabularySize < symbols.Count)
        {
            throw new ArgumentException(
                $"{specialTokens.Count} special tokens and {Bytes} bytes do not fit a vocabulary of {vocabularySize}.",
                nameof(vocabularySize));
        }

        var merges = new List<(string, string)>();
        var learned = new HashSet<(int, int)>();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = 0; id < symbols.Count; id++)
            ids.Add(symbols[id], id);
        var pairs = new PairCounts(Words(text, specialTokens), symbols);
        while (symbols.Count < vocabularySize && pairs.TakeMostFrequent() is { } pair)
        {
            string merged = symbols[pair.Left] + symbols[pair.Right];
            // Two pairs can spell the same symbol; a special token's id is never reached by merging.
            if (!ids.TryGetValue(merged, out int id))
            {
                ids.Add(merged, id = symbols.Count);
                symbols.Add(merged);
            }
            if (id < specialTokens.Count)
                continue;
            // A pair can come up again where its left or right symbol is spelled another way.
            if (learned.Add(pair))
                merges.Add((symbols[pair.Left], symbols[pair.Right]));
            pairs.Merge(pair, id);
        }
        return Tokenizer.Parse(TokenizerWriter.Write(symbols, merges, specialTokens.Count), "the trained tokenizer");
    }

    private static IEnumerable<(int[] Symbols, int Count)> Words(string text, IReadOnlyList<string> specialTokens)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        var matcher = new AddedTokenMatcher(
            [.. specialTokens.Select((token, id) => new AddedToken(id, token, Normalized: false))]);
        var preTokenizer = new PreTokenizer([], addPrefixSpace: false, useGpt2: true);
        foreach ((ReadOnlyMemory<char> part, AddedToken? token) in matcher.Split(text))
        {
            foreach (ReadOnlyMemory<char> piece in token is null ? preTokenizer.Split(part) : [])
                CollectionsMarshal.GetValueRefOrAddDefault(lookup, piece.Span, out _)++;
        }
        return counts.Select(word =>
            (Encoding.UTF8.GetBytes(word.Key).Select(b => specialTokens.Count + b).ToArray(), word.Value));
    }
}
