namespace Pipelines.Models;

/// <summary>How often each pair of symbols stands in the words, and in which words; kept up to date merge by merge.</summary>
internal sealed class PairCounts
{
    private readonly List<(int[] Symbols, int Count)> _words;
    private readonly Dictionary<(int Left, int Right), long> _counts = [];
    private readonly Dictionary<(int Left, int Right), HashSet<int>> _places = [];
    private readonly PriorityQueue<(int Left, int Right), (long Count, string Left, string Right)> _queue = new(
        Comparer<(long Count, string Left, string Right)>.Create(static (x, y) =>
        {
            int order = y.Count.CompareTo(x.Count);
            if (order == 0)
                order = string.CompareOrdinal(x.Left, y.Left);
            return order == 0 ? string.CompareOrdinal(x.Right, y.Right) : order;
        }));

    private readonly IReadOnlyList<string> _symbols;

    /// <param name="symbols">The spelling of each symbol, which grows as the caller adds merged ones.</param>
    public PairCounts(IEnumerable<(int[] Symbols, int Count)> words, IReadOnlyList<string> symbols)
    {
        _symbols = symbols;
        _words = [.. words];
        for (int word = 0; word < _words.Count; word++)
            Count(word, _words[word].Count);
        foreach ((int Left, int Right) pair in _counts.Keys)
            Enqueue(pair);
    }

    /// <summary>Takes out the most frequent pair, the ordinally first among equals; null when no pair is left.</summary>
    public (int Left, int Right)? TakeMostFrequent()
    {
        while (_queue.TryDequeue(out (int Left, int Right) pair, out (long Count, string, string) queued))
        {
            long count = _counts.GetValueOrDefault(pair);
            if (count == queued.Count)
                return pair;
            // A pair that became rarer goes back to its place; one that became more frequent was queued anew.
            if (count > 0 && count < queued.Count)
                Enqueue(pair);
        }
        return null;
    }

    public void Merge((int Left, int Right) pair, int merged)
    {
        _places.Remove(pair, out HashSet<int>? places);
        var changed = new HashSet<(int Left, int Right)>();
        foreach (int word in places ?? [])
        {
            (int[] symbols, int count) = _words[word];
            int[] shorter = Replace(symbols, pair, merged);
            // A word that lost the pair to an earlier merge is still listed.
            if (shorter.Length == symbols.Length)
                continue;
            Count(word, -count);
            _words[word] = (shorter, count);
            for (int i = 1; i < shorter.Length; i++)
                changed.Add((shorter[i - 1], shorter[i]));
            Count(word, count);
        }
        foreach ((int Left, int Right) fresh in changed)
        {
            if (fresh.Left == merged || fresh.Right == merged)
                Enqueue(fresh);
        }
    }

    private void Count(int word, int change)
    {
        int[] symbols = _words[word].Symbols;
        for (int i = 1; i < symbols.Length; i++)
        {
            (int, int) pair = (symbols[i - 1], symbols[i]);
            long count = _counts.GetValueOrDefault(pair) + change;
            if (count == 0)
                _counts.Remove(pair);
            else
                _counts[pair] = count;
            if (change < 0)
                continue;
            if (!_places.TryGetValue(pair, out HashSet<int>? places))
                _places.Add(pair, places = []);
            places.Add(word);
        }
    }

    private void Enqueue((int Left, int Right) pair) =>
        _queue.Enqueue(pair, (_counts[pair], _symbols[pair.Left], _symbols[pair.Right]));

    private static int[] Replace(int[] symbols, (int Left, int Right) pair, int merged)
    {
        var replaced = new List<int>(symbols.Length);
        for (int i = 0; i < symbols.Length; i++)
        {
            bool match = i + 1 < symbols.Length && symbols[i] == pair.Left && symbols[i + 1] == pair.Right;
            replaced.Add(match ? merged : symbols[i]);
            if (match)
                i++;
        }
        return [.. replaced];
    }
}
