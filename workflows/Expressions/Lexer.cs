using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Pipelines.Workflows.Expressions;

internal enum TokenKind
{
    Number,
    String,
    Name,
    Symbol,
    End,
}

/// <param name="Text">A symbol's one spelling (<c>and</c>, also for <c>&amp;&amp;</c>); of the others what was written.</param>
/// <param name="Value">Of a number or a string.</param>
internal sealed record Token(TokenKind Kind, string Text, int Position, JsonElement Value = default)
{
    // A string may hold anything, so it is not repeated in messages.
    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end",
        TokenKind.String => "a string",
        _ => $"'{(Text.Length > 80 ? Text[..80] + "…" : Text)}'",
    };
}

/// <summary>Cuts a text into tokens.</summary>
internal sealed partial class Lexer(string text)
{
    // Longer ones first.
    private static readonly string[] Symbols =
        ["==", "!=", "<=", ">=", "||", "&&", "<", ">", "+", "-", "*", "/", "%", "(", ")", ",", "?", ":", "!"];

    private int position;

    /// <returns>At least one token; the last is the end.</returns>
    public List<Token> Read()
    {
        var tokens = new List<Token>();
        while (true)
        {
            while (position < text.Length && char.IsWhiteSpace(text[position]))
                position++;
            if (position == text.Length)
                break;
            tokens.Add(Next());
        }

        tokens.Add(new Token(TokenKind.End, "", position));
        return tokens;
    }

    private Token Next()
    {
        var start = position;
        if (text[start] is '\'' or '"')
            return new Token(TokenKind.String, "", start, Json.Write(ReadString()));
        if (Number().Match(text, start) is { Success: true } number)
        {
            position += number.Length;
            var value = double.Parse(number.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture);
            return double.IsFinite(value)
                ? new Token(TokenKind.Number, number.Value, start, Json.Write(value))
                : throw new ExpressionException(start, "the number is too large");
        }

        if (Name().Match(text, start) is { Success: true } name)
        {
            position += name.Length;
            // A name with dots is never a word of the language: a stage may be called 'not'.
            var kind = name.Value is "and" or "or" or "not" ? TokenKind.Symbol : TokenKind.Name;
            return new Token(kind, name.Value, start);
        }

        if (Array.Find(Symbols, symbol => string.CompareOrdinal(text, start, symbol, 0, symbol.Length) == 0) is { } found)
        {
            position += found.Length;
            var spelling = found switch { "&&" => "and", "||" => "or", "!" => "not", _ => found };
            return new Token(TokenKind.Symbol, spelling, start);
        }

        throw new ExpressionException(start, $"unexpected {Character(start)}" + text[start] switch
        {
            '=' => " (did you mean '=='?)",
            '&' => " (did you mean 'and'?)",
            '|' => " (did you mean 'or'?)",
            _ => "",
        });
    }

    private string ReadString()
    {
        var start = position;
        var quote = text[position++];
        var value = new StringBuilder();
        while (position < text.Length && text[position] != quote)
            value.Append(text[position] == '\\' ? ReadEscape() : text[position++]);
        if (position == text.Length)
            throw new ExpressionException(start, "the string does not end");
        position++;

        // JSON cannot hold half of a surrogate pair.
        var read = value.ToString();
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(read)) == read
            ? read
            : throw new ExpressionException(start, "the string has half of a surrogate pair");
    }

    private char ReadEscape()
    {
        var start = position;
        position += 2;
        switch (start + 1 < text.Length ? text[start + 1] : '\0')
        {
            case '\\' or '/' or '\'' or '"':
                return text[start + 1];
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case 'u' when start + 6 <= text.Length && Hexadecimal().IsMatch(text.AsSpan(start + 2, 4)):
                position += 4;
                return (char)ushort.Parse(text.AsSpan(start + 2, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            default:
                throw new ExpressionException(start, "expected one of \\\\ \\/ \\' \\\" \\n \\t \\r \\u0000");
        }
    }

    private string Character(int at) =>
        Rune.TryGetRuneAt(text, at, out var rune) && !Rune.IsControl(rune) ? $"'{rune}'" : $"U+{(int)text[at]:X4}";

    [GeneratedRegex(@"\G[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")]
    private static partial Regex Number();

    [GeneratedRegex(@"\G[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*")]
    private static partial Regex Name();

    [GeneratedRegex("^[0-9A-Fa-f]{4}$")]
    private static partial Regex Hexadecimal();
}
