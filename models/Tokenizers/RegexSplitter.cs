using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Pipelines.Models;

/// <summary>Splits a text at each match of an expression; a match and the text between matches are pieces of their own.</summary>
internal sealed class RegexSplitter
{
    private readonly Regex _expression;

    /// <exception cref="ArgumentException">.NET cannot read the expression.</exception>
    public RegexSplitter(string pattern) =>
        _expression = new Regex(pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant);

    public void Split(ReadOnlyMemory<char> text, List<ReadOnlyMemory<char>> pieces)
    {
        if (text.Span.IndexOfAnyInRange('\uD800', '\uDBFF') >= 0)
            SplitByCodePoint(text, pieces);
        else
            Split(text.Span, (start, end) => pieces.Add(text[start..end]));
    }

    // .NET matches halves of surrogate pairs, which no category of letters or numbers contains. So the expression
    // sees a character of the same category in the place of each pair, and its matches are moved back to the text.
    private void SplitByCodePoint(ReadOnlyMemory<char> text, List<ReadOnlyMemory<char>> pieces)
    {
        var stand = new StringBuilder(text.Length);
        var starts = new List<int>(text.Length + 1);
        int index = 0;
        foreach (Rune rune in text.Span.EnumerateRunes())
        {
            starts.Add(index);
            stand.Append(rune.IsBmp ? (char)rune.Value : StandIn(Rune.GetUnicodeCategory(rune)));
            index += rune.Utf16SequenceLength;
        }
        starts.Add(index);
        Split(stand.ToString(), (start, end) => pieces.Add(text[starts[start]..starts[end]]));
    }

    private void Split(ReadOnlySpan<char> text, Action<int, int> add)
    {
        int done = 0;
        foreach (ValueMatch match in _expression.EnumerateMatches(text))
        {
            if (match.Index > done)
                add(done, match.Index);
            if (match.Length > 0)
                add(match.Index, match.Index + match.Length);
            done = match.Index + match.Length;
        }
        if (done < text.Length)
            add(done, text.Length);
    }

    private static char StandIn(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => 'Ӕ',
        UnicodeCategory.LowercaseLetter => 'ӕ',
        UnicodeCategory.TitlecaseLetter => 'ᾈ',
        UnicodeCategory.ModifierLetter => 'ꟸ',
        UnicodeCategory.OtherLetter => 'ꀀ',
        UnicodeCategory.NonSpacingMark => '\u0353',
        UnicodeCategory.SpacingCombiningMark => '\u1B35',
        UnicodeCategory.EnclosingMark => '\u20E4',
        UnicodeCategory.DecimalDigitNumber => '᮰',
        UnicodeCategory.LetterNumber => 'ↂ',
        UnicodeCategory.OtherNumber => '⒈',
        UnicodeCategory.DashPunctuation => '⸺',
        UnicodeCategory.OtherPunctuation => '⸎',
        UnicodeCategory.MathSymbol => '⨀',
        UnicodeCategory.ModifierSymbol => '꜀',
        UnicodeCategory.OtherSymbol => '⠿',
        UnicodeCategory.Format => '\u2063',
        UnicodeCategory.PrivateUse => '\uE000',
        _ => '\uFFFF',
    };
}
