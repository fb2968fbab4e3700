namespace Pipelines.Workflows.Expressions;

/// <summary>Builds the tree of a text by precedence climbing. From loose to tight: <c>? :</c>, or, and, not, comparisons,
/// <c>+ -</c>, <c>* / %</c>, unary minus.</summary>
internal sealed class Parser
{
    private const int Comparison = 3;

    private readonly List<Token> tokens;
    private readonly List<ExpressionName> names = [];
    private int next;
    private int nesting;

    private Parser(string text) => tokens = new Lexer(text).Read();

    private Token Current => tokens[next];

    /// <exception cref="ExpressionException">The text is not an expression, or too deep.</exception>
    public static (Term Root, IReadOnlyList<ExpressionName> Names) Parse(string text)
    {
        var parser = new Parser(text);
        var root = parser.ParseConditional();
        return parser.Current.Kind == TokenKind.End ? (root, parser.names) : throw parser.Expected("an operator");
    }

    private Term ParseConditional()
    {
        Enter();
        var term = ParseBinary(1);
        if (Take("?") is { } question)
        {
            var then = ParseConditional();
            Need(":");
            term = Bounded(new Conditional(term, then, ParseConditional(), question.Position));
        }

        nesting--;
        return term;
    }

    private Term ParseBinary(int loosest)
    {
        var left = ParseUnary();
        while (Level(Current) is var level && level >= loosest)
        {
            var sign = tokens[next++];
            left = Bounded(new Binary(sign.Text, left, ParseBinary(level + 1), sign.Position));
            // Elsewhere a < b < c means a < b and b < c, or (a < b) < c; here nobody has to know which.
            if (level == Comparison && Level(Current) == Comparison)
                throw new ExpressionException(Current.Position, "comparisons do not chain: join two of them with 'and'");
        }

        return left;
    }

    private Term ParseUnary()
    {
        if ((Take("-") ?? Take("not")) is not { } sign)
            return ParseValue();
        Enter();
        var operand = sign.Text == "-" ? ParseUnary() : ParseBinary(Comparison);
        nesting--;
        return Bounded(new Unary(sign.Text, operand, sign.Position));
    }

    private Term ParseValue()
    {
        if (Take("(") is not null)
        {
            var inner = ParseConditional();
            Need(")");
            return inner;
        }

        if (Current.Kind is TokenKind.Symbol or TokenKind.End)
            throw Expected("a value");
        var token = tokens[next++];
        if (token.Kind != TokenKind.Name)
            return new Literal(token.Value, token.Position);
        if (Take("(") is not null)
            return ParseCall(token);
        switch (token.Text)
        {
            case "true" or "false":
                return new Literal(Json.Write(token.Text == "true"), token.Position);
            case "null":
                return new Literal(Json.Write<object?>(null), token.Position);
            default:
                names.Add(new ExpressionName(token.Text.Split('.'), token.Position));
                return new Reading(names[^1]);
        }
    }

    private Term ParseCall(Token name)
    {
        var function = Function.All.FirstOrDefault(known => known.Name == name.Text)
            ?? throw new ExpressionException(
                name.Position,
                $"there is no function {name}{Suggestion.For(name.Text, [.. Function.All.Select(known => known.Name)])}");
        var arguments = new List<Term>();
        do
        {
            if (arguments.Count == function.Most)
                throw new ExpressionException(Current.Position, $"{function.Name} takes only one value");
            arguments.Add(ParseConditional());
        }
        while (Take(",") is not null);
        Need(")");
        return Bounded(new Call(function, arguments, name.Position));
    }

    private static int Level(Token token) => token.Kind != TokenKind.Symbol ? 0 : token.Text switch
    {
        "or" => 1,
        "and" => 2,
        "==" or "!=" or "<" or "<=" or ">" or ">=" => Comparison,
        "+" or "-" => 4,
        "*" or "/" or "%" => 5,
        _ => 0,
    };

    private Token? Take(string symbol) =>
        Current.Kind == TokenKind.Symbol && Current.Text == symbol ? tokens[next++] : null;

    private void Need(string symbol) => _ = Take(symbol) ?? throw Expected($"'{symbol}'");

    private ExpressionException Expected(string what)
    {
        // In 'a- 1' the minus belongs to the name.
        var minus = next > 0 && tokens[next - 1] is { Kind: TokenKind.Name } name && name.Text.EndsWith('-');
        return new ExpressionException(
            Current.Position,
            $"expected {what}, found {Current}{(minus ? " (a minus after a name needs a space before it)" : "")}");
    }

    // The parser's own recursion is bounded here; the tree's, which operators in a row deepen too, in Bounded.
    private void Enter() => nesting = nesting < Expression.MaxDepth ? nesting + 1 : throw TooDeep(Current.Position);

    private static Term Bounded(Term term) => term.Depth <= Expression.MaxDepth ? term : throw TooDeep(term.Position);

    private static ExpressionException TooDeep(int position) =>
        new(position, $"the expression is more than {Expression.MaxDepth} levels deep");
}
