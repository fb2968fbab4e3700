using System.Text;

namespace Pipelines.Models;

/// <summary>A byte-level vocabulary and its merges; turns one piece of text into ids.</summary>
internal sealed class BpeModel(
    IReadOnlyDictionary<string, int> vocabulary, IReadOnlyDictionary<(int, int), (int Rank, int Id)> merges,
    int? unknownId, bool fuseUnknown, bool ignoreMerges)
{
    private readonly int[] _byteIds =
        [.. Enumerable.Range(0, 256).Select(b => vocabulary.GetValueOrDefault(ByteSymbols.Of((byte)b).ToString(), -1))];

    /// <exception cref="TokenizerException">A byte has no symbol, and the vocabulary names no unknown token.</exception>
    public int[] Encode(ReadOnlySpan<char> piece)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(piece)];
        Encoding.UTF8.GetBytes(piece, bytes);
        if (ignoreMerges && vocabulary.TryGetValue(ByteSymbols.Of(bytes), out int whole))
            return [whole];
        return Merge(Symbols(bytes));
    }

    private List<int> Symbols(byte[] bytes)
    {
        var symbols = new List<int>(bytes.Length);
        bool afterUnknown = false;
        foreach (byte value in bytes)
        {
            int id = _byteIds[value];
            bool unknown = id < 0;
            if (unknown)
            {
                id = unknownId ?? throw new TokenizerException(
                    $"The vocabulary has no symbol for the byte 0x{value:X2} and no unknown token.");
            }
            if (!unknown || !afterUnknown || !fuseUnknown)
                symbols.Add(id);
            afterUnknown = unknown;
        }
        return symbols;
    }

    // The pairs wait in a queue by rank, so that a piece without spaces, however long, costs n log n and not n².
    private int[] Merge(List<int> symbols)
    {
        int count = symbols.Count;
        var ids = symbols.ToArray();
        var next = new int[count];
        var previous = new int[count];
        var queue = new PriorityQueue<(int At, int Left, int Right), (int Rank, int At)>();
        for (int i = 0; i < count; i++)
        {
            next[i] = i + 1 < count ? i + 1 : -1;
            previous[i] = i - 1;
            Offer(queue, ids, i, next[i]);
        }

        while (queue.TryDequeue(out (int At, int Left, int Right) pair, out _))
        {
            int at = pair.At, right = next[at];
            // A pair whose symbols have been merged since it was queued is stale.
            if (ids[at] != pair.Left || right < 0 || ids[right] != pair.Right)
                continue;
            ids[at] = merges[(pair.Left, pair.Right)].Id;
            ids[right] = -1;
            count--;
            next[at] = next[right];
            if (next[at] >= 0)
                previous[next[at]] = at;
            Offer(queue, ids, previous[at], at);
            Offer(queue, ids, at, next[at]);
        }
        return count == ids.Length ? ids : [.. ids.Where(id => id >= 0)];
    }

    private void Offer(PriorityQueue<(int, int, int), (int, int)> queue, int[] ids, int left, int right)
    {
        if (left >= 0 && right >= 0 && merges.TryGetValue((ids[left], ids[right]), out (int Rank, int Id) merge))
            queue.Enqueue((left, ids[left], ids[right]), (merge.Rank, left));
    }
}
