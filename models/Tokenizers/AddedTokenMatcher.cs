using System.Buffers;

namespace Pipelines.Models;

/// <summary>Finds added tokens in a text: the leftmost first, and the longest of those that start there.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly List<Pass> _passes;

    public AddedTokenMatcher(IReadOnlyCollection<AddedToken> tokens) => _passes =
    [
        .. tokens.GroupBy(token => token.Normalized).OrderBy(group => group.Key).Select(group => new Pass(
            SearchValues.Create([.. group.Select(token => token.Content)], StringComparison.Ordinal),
            [.. group.OrderByDescending(token => token.Content.Length)]))
    ];

    /// <summary>The text in order, as parts that are an added token and parts that hold none.</summary>
    public List<(ReadOnlyMemory<char> Text, AddedToken? Token)> Split(string text)
    {
        List<(ReadOnlyMemory<char> Text, AddedToken? Token)> parts = [];
        if (text.Length > 0)
            parts.Add((text.AsMemory(), null));
        foreach (Pass pass in _passes)
        {
            List<(ReadOnlyMemory<char>, AddedToken?)> finer = [];
            foreach ((ReadOnlyMemory<char> Text, AddedToken? Token) part in parts)
            {
                if (part.Token is null)
                    Split(part.Text, pass, finer);
                else
                    finer.Add(part);
            }
            parts = finer;
        }
        return parts;
    }

    private static void Split(ReadOnlyMemory<char> text, Pass pass, List<(ReadOnlyMemory<char>, AddedToken?)> parts)
    {
        int found;
        while ((found = text.Span.IndexOfAny(pass.Contents)) >= 0)
        {
            if (found > 0)
                parts.Add((text[..found], null));
            text = text[found..];
            ReadOnlySpan<char> rest = text.Span;
            int chosen = 0;
            while (!rest.StartsWith(pass.LongestFirst[chosen].Content, StringComparison.Ordinal))
                chosen++;
            AddedToken token = pass.LongestFirst[chosen];
            parts.Add((text[..token.Content.Length], token));
            text = text[token.Content.Length..];
        }
        if (text.Length > 0)
            parts.Add((text, null));
    }

    private sealed record Pass(SearchValues<string> Contents, IReadOnlyList<AddedToken> LongestFirst);
}
