using System.Globalization;
using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows.Expressions;

public sealed class ExpressionBoundsTests
{
    private static readonly string[] Soup =
    [
        "1", "0", "2.5", "1e308", "'a'", "\"b\"", "'", "\"", "\\", "true", "false", "null", "sparsity", "rounds", "name",
        "fast", "huge", "half", "unset", "evaluate.measurement", "evaluate.measurement.perplexity", "evaluate.none.x",
        "odd.halves", "odd.halves.list", "odd.halves.x", "skipped.value", "min(", "max(", "abs(", "round(", "len(", "mni(",
        "(", ")", ",", "?", ":", "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "not", "!", "&&",
        "||", "=", "&", ".", "..", "\0", "é", "😀", "\ud800", "\\ud800", "1e999", "\n", "[0]",
    ];

    [Theory]
    [InlineData("(", "1", ")")]
    [InlineData("-", "1", "")]
    [InlineData("not ", "true", "")]
    [InlineData("1 + ", "1", "")]
    [InlineData("true and ", "true", "")]
    [InlineData("true ? ", "1", " : 1")]
    [InlineData("true ? 1 : ", "1", "")]
    [InlineData("abs(", "1", ")")]
    [InlineData("1 + (", "1", ")")]
    [InlineData("-abs(not (1 == ", "1", "))")]
    public void Refuses_deep_expressions(string before, string inner, string after)
    {
        string Nested(int levels) =>
            string.Concat(Enumerable.Repeat(before, levels)) + inner + string.Concat(Enumerable.Repeat(after, levels));

        // Only the last one has a wrong type; its depth is found first.
        if (!before.Contains("abs(not", StringComparison.Ordinal))
            Toy.Evaluate(Nested(31));
        Assert.EndsWith("is more than 64 levels deep", Toy.Refuse(Nested(4000 / (before + after).Length)));
    }

    // Each parenthesis is within bounds, and so is each row of operators, but not the tree that they make.
    [Fact]
    public void Bounds_the_tree_and_not_only_the_parser()
    {
        var text = "1";
        for (var level = 0; level < 60; level++)
            text = $"({text}{string.Concat(Enumerable.Repeat("+1", 10))})";

        Assert.EndsWith("is more than 64 levels deep", Toy.Refuse(text));
    }

    [Fact]
    public void Refuses_long_expressions()
    {
        var longest = "1" + new string(' ', Expression.MaxLength - 1);

        Assert.Equal(1, Toy.Evaluate(longest).GetDouble());
        Assert.Equal("at 4096: an expression has 4096 characters at most, not 4097", Toy.Refuse(longest + " "));
    }

    [Fact]
    public void Takes_the_longest_operand_lists()
    {
        var text = $"max({string.Join(",", Enumerable.Range(0, 800))})";

        Assert.Equal(799, Toy.Evaluate(text).GetDouble());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_words_give_a_value_or_an_error_of_the_language(int seed)
    {
        var random = new Random(seed);
        var values = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var words = Enumerable.Range(0, random.Next(1, 12)).Select(_ => Soup[random.Next(Soup.Length)]);
            var text = string.Join(random.Next(3) == 0 ? "" : " ", words);
            try
            {
                Toy.Evaluate(text);
                values++;
            }
            catch (ExpressionException error)
            {
                Assert.InRange(error.Position, 0, text.Length);
                Assert.StartsWith($"at {error.Position}: ", error.Message, StringComparison.Ordinal);
            }
        }

        Assert.NotEqual(0, values);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Random_trees_have_the_value_that_arithmetic_gives_them(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 2_000; round++)
        {
            var (text, value, _) = Tree(random, 6);

            Assert.Equal(value, Toy.Evaluate(text).GetDouble());
        }
    }

    /// <summary>A random sum or product with only the parentheses that it needs, and its value by C#.</summary>
    private static (string Text, double Value, int Level) Tree(Random random, int depth)
    {
        if (depth == 0 || random.Next(4) == 0)
        {
            var number = random.Next(10);
            return (number.ToString(CultureInfo.InvariantCulture), number, 3);
        }

        var (left, right) = (Tree(random, depth - 1), Tree(random, depth - 1));
        var sign = "+-*"[random.Next(3)];
        var level = sign == '*' ? 2 : 1;
        var value = sign switch
        {
            '+' => left.Value + right.Value,
            '-' => left.Value - right.Value,
            _ => left.Value * right.Value,
        };
        return ($"{In(left, left.Level < level)} {sign} {In(right, right.Level <= level)}", value, level);

        static string In((string Text, double Value, int Level) side, bool parenthesised) =>
            parenthesised ? $"({side.Text})" : side.Text;
    }
}
