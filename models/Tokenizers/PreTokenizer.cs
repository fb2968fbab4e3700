namespace Pipelines.Models;

/// <summary>Cuts a text into the pieces that merges do not cross: any split expressions, then the byte level.</summary>
internal sealed class PreTokenizer(IReadOnlyList<RegexSplitter> splitters, bool addPrefixSpace, bool useGpt2)
{
    public List<ReadOnlyMemory<char>> Split(ReadOnlyMemory<char> text)
    {
        List<ReadOnlyMemory<char>> pieces = [text];
        foreach (RegexSplitter splitter in splitters)
        {
            var finer = new List<ReadOnlyMemory<char>>();
            foreach (ReadOnlyMemory<char> piece in pieces)
                splitter.Split(piece, finer);
            pieces = finer;
        }
        if (addPrefixSpace)
            pieces = [.. pieces.Select(WithPrefixSpace)];
        return useGpt2 ? SplitAsGpt2(pieces) : pieces;
    }

    private static ReadOnlyMemory<char> WithPrefixSpace(ReadOnlyMemory<char> piece) =>
        piece.Span.StartsWith(' ') ? piece : string.Concat(" ", piece.Span).AsMemory();

    private static List<ReadOnlyMemory<char>> SplitAsGpt2(List<ReadOnlyMemory<char>> pieces)
    {
        var finer = new List<ReadOnlyMemory<char>>();
        foreach (ReadOnlyMemory<char> piece in pieces)
        {
            for (int start = 0; start < piece.Length;)
            {
                int length = Gpt2Splitter.FirstLength(piece.Span[start..]);
                finer.Add(piece.Slice(start, length));
                start += length;
            }
        }
        return finer;
    }
}
