using System.Globalization;
using System.Text;

namespace Pipelines.Models;

/// <summary>
/// GPT-2's splitting expression by hand:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// Unlike .NET's expressions, which see halves of surrogate pairs, it classifies whole code points.
/// </summary>
internal static class Gpt2Splitter
{
    private enum Class : byte
    {
        Other,
        Letter,
        Number,
        Space,
    }

    private static readonly Class[] Ascii = [.. Enumerable.Range(0, 128).Select(code => Classify(new Rune(code)))];

    /// <summary>The length of the first piece of a text that is not empty.</summary>
    public static int FirstLength(ReadOnlySpan<char> text)
    {
        int contraction = text[0] == '\'' ? ContractionLength(text) : 0;
        if (contraction > 0)
            return contraction;

        int start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        Class first = ClassAt(text, start, out int width);
        if (first != Class.Space)
            return start + width + RunLength(text[(start + width)..], first);

        int spaces = RunLength(text, Class.Space);
        // The last space before a word belongs to the word, unless it is the only one.
        return spaces < text.Length && spaces > 1 ? spaces - 1 : spaces;
    }

    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length > 1 && text[1] is ('s' or 't' or 'm' or 'd'))
            return 2;
        return text.Length > 2 && text[1..3] is ("re" or "ve" or "ll") ? 3 : 0;
    }

    private static int RunLength(ReadOnlySpan<char> text, Class kind)
    {
        int end = 0;
        while (end < text.Length && ClassAt(text, end, out int width) == kind)
            end += width;
        return end;
    }

    private static Class ClassAt(ReadOnlySpan<char> text, int index, out int width)
    {
        char unit = text[index];
        width = 1;
        if (unit < 128)
            return Ascii[unit];
        Rune.DecodeFromUtf16(text[index..], out Rune rune, out width);
        return Classify(rune);
    }

    private static Class Classify(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.OtherLetter => Class.Letter,
        >= UnicodeCategory.DecimalDigitNumber and <= UnicodeCategory.OtherNumber => Class.Number,
        _ => Rune.IsWhiteSpace(rune) ? Class.Space : Class.Other,
    };
}
