using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows.Expressions;

public sealed class ExpressionErrorTests
{
    [Theory]
    [InlineData("", "at 0: expected a value, found the end")]
    [InlineData("  ", "at 2: expected a value, found the end")]
    [InlineData("sparsity + )", "at 11: expected a value, found ')'")]
    [InlineData("1 +", "at 3: expected a value, found the end")]
    [InlineData("* 2", "at 0: expected a value, found '*'")]
    [InlineData("a or or b", "at 5: expected a value, found 'or'")]
    [InlineData("1 2", "at 2: expected an operator, found '2'")]
    [InlineData("a 'b'", "at 2: expected an operator, found a string")]
    [InlineData("a- 1", "at 3: expected an operator, found '1' (a minus after a name needs a space before it)")]
    [InlineData("(1 + 2", "at 6: expected ')', found the end")]
    [InlineData("1)", "at 1: expected an operator, found ')'")]
    [InlineData("a ? 1", "at 5: expected ':', found the end")]
    [InlineData("a : 1", "at 2: expected an operator, found ':'")]
    [InlineData("max(1 2)", "at 6: expected ')', found '2'")]
    [InlineData("max()", "at 4: expected a value, found ')'")]
    [InlineData("max(1,)", "at 6: expected a value, found ')'")]
    [InlineData("abs(1, 2)", "at 7: abs takes only one value")]
    [InlineData("1 < mni(2)", "at 4: there is no function 'mni' (did you mean 'min'?)")]
    [InlineData("exponential(2)",
        "at 0: there is no function 'exponential' (there is: min, max, abs, round, floor, ceil, len)")]
    [InlineData("a.min(2)", "at 0: there is no function 'a.min' (did you mean 'min'?)")]
    [InlineData("1 < 2 < 3", "at 6: comparisons do not chain: join two of them with 'and'")]
    [InlineData("a = 1", "at 2: unexpected '=' (did you mean '=='?)")]
    [InlineData("a & b", "at 2: unexpected '&' (did you mean 'and'?)")]
    [InlineData("a | b", "at 2: unexpected '|' (did you mean 'or'?)")]
    [InlineData("a.", "at 1: unexpected '.'")]
    [InlineData("a.b.0", "at 3: unexpected '.'")]
    [InlineData(".5", "at 0: unexpected '.'")]
    [InlineData("1 + 😀", "at 4: unexpected '😀'")]
    [InlineData("a[0]", "at 1: unexpected '['")]
    [InlineData("1 + \0", "at 4: unexpected U+0000")]
    [InlineData("1 + 1e999", "at 4: the number is too large")]
    [InlineData("1 + 'abc", "at 4: the string does not end")]
    [InlineData("'abc\\", "at 4: expected one of \\\\ \\/ \\' \\\" \\n \\t \\r \\u0000")]
    [InlineData("'ab\\x'", "at 3: expected one of \\\\ \\/ \\' \\\" \\n \\t \\r \\u0000")]
    [InlineData("'\\u12'", "at 1: expected one of \\\\ \\/ \\' \\\" \\n \\t \\r \\u0000")]
    [InlineData("1 + '\\ud800'", "at 4: the string has half of a surrogate pair")]
    public void Says_where_the_text_is_wrong_and_what_was_expected(string text, string error) =>
        Assert.Equal(error, Toy.Refuse(text));

    [Theory]
    [InlineData("1 and true", "at 0: 'and' needs a boolean, found number 1")]
    [InlineData("true or 'x'", "at 8: 'or' needs a boolean, found string \"x\"")]
    [InlineData("not 0", "at 4: 'not' needs a boolean, found number 0")]
    [InlineData("-'x'", "at 1: '-' needs a number, found string \"x\"")]
    [InlineData("1 + null", "at 4: '+' needs a number, found null")]
    [InlineData("'a' + 'b'", "at 0: '+' needs a number, found string \"a\"")]
    [InlineData("(a < b) * 2", "at 3: '*' needs a number, found boolean")]
    [InlineData("a + 1 and b", "at 2: 'and' needs a boolean, found number")]
    [InlineData("1 < 'x'", "at 2: '<' compares two numbers or two strings, not number 1 with string \"x\"")]
    [InlineData("true >= true", "at 5: '>=' compares two numbers or two strings, not boolean true with boolean true")]
    [InlineData("1 ? 2 : 3", "at 0: '?' needs a boolean, found number 1")]
    [InlineData("abs(a == 1)", "at 6: abs needs a number, found boolean")]
    [InlineData("max(1, 'x')", "at 7: max needs a number, found string \"x\"")]
    [InlineData("len(1)", "at 4: len needs a string or array or object, found number 1")]
    [InlineData("(a ? 1 : 'x') and b", "at 3: 'and' needs a boolean, found number or string")]
    public void Refuses_before_evaluation_what_can_only_fail(string text, string error) =>
        Assert.Equal(error, Toy.Refuse(text));

    [Theory]
    [InlineData("sparsity > 'high'",
        "at 9: '>' compares two numbers or two strings, not 'sparsity' (number 0.5) with string \"high\"")]
    [InlineData("true and sparsity < name",
        "at 18: '<' compares two numbers or two strings, not 'sparsity' (number 0.5) with 'name' (string \"llama\")")]
    [InlineData("1 + name", "at 4: '+' needs a number, found 'name' (string \"llama\")")]
    [InlineData("-fast", "at 1: '-' needs a number, found 'fast' (boolean true)")]
    [InlineData("not rounds", "at 4: 'not' needs a boolean, found 'rounds' (number 3)")]
    [InlineData("fast and rounds", "at 9: 'and' needs a boolean, found 'rounds' (number 3)")]
    [InlineData("rounds or fast", "at 0: 'or' needs a boolean, found 'rounds' (number 3)")]
    [InlineData("rounds ? 1 : 2", "at 0: '?' needs a boolean, found 'rounds' (number 3)")]
    [InlineData("min(1, name)", "at 7: min needs a number, found 'name' (string \"llama\")")]
    [InlineData("len(fast)", "at 4: len needs a string or array or object, found 'fast' (boolean true)")]
    [InlineData("evaluate.none + 1", "at 0: '+' needs a number, found 'evaluate.none' (null)")]
    [InlineData("1 < evaluate.measurement.texts",
        "at 2: '<' compares two numbers or two strings, not number 1 with 'evaluate.measurement.texts' (array)")]
    [InlineData("rounds / (3 - rounds)", "at 7: division by zero")]
    [InlineData("5 % 0", "at 2: division by zero")]
    [InlineData("1 + 1e308 * rounds * 10", "at 10: 1E+308 * 3 is too large for a number")]
    [InlineData("-1e308 - 1e308", "at 7: -1E+308 - 1E+308 is too large for a number")]
    [InlineData("1 + huge", "at 4: 'huge' is too large for a number")]
    [InlineData("half == 'x'", "at 0: 'half' cannot be read: it has half of a surrogate pair")]
    [InlineData("odd.halves == odd.halves", "at 11: the values cannot be compared")]
    [InlineData("odd.halves.numbers == odd.halves.numbers", "at 19: the values cannot be compared")]
    public void Names_the_values_that_do_not_fit_and_the_place(string text, string error) =>
        Assert.Equal(error, Toy.Fail(text));

    [Theory]
    [InlineData("1 + unset", "at 4: 'unset' has no value")]
    [InlineData("skipped.value", "at 0: 'skipped.value' has no value")]
    [InlineData("skipped.value == rounds", "at 0: 'skipped.value' has no value")]
    [InlineData("skipped.value.x == null", "at 0: 'skipped.value' has no value")]
    [InlineData("1 + evaluate.none.x", "at 4: 'evaluate.none' has no members: it is null")]
    [InlineData("evaluate.none.x == null", "at 0: 'evaluate.none' has no members: it is null")]
    [InlineData("evaluate-dense.measurement.note.x.y", "at 0: 'evaluate-dense.measurement.note' has no members: it is null")]
    [InlineData("evaluate.measurement.perplexity.x",
        "at 0: 'evaluate.measurement.perplexity' has no members: it is number 10")]
    [InlineData("evaluate.measurement.perplexty < 3",
        "at 0: 'evaluate.measurement' has no member 'perplexty' (did you mean 'perplexity'?)")]
    [InlineData("evaluate.measurement.perplexty != 3",
        "at 0: 'evaluate.measurement' has no member 'perplexty' (did you mean 'perplexity'?)")]
    [InlineData("evaluate.measurement.absent.x == null",
        "at 0: 'evaluate.measurement' has no member 'absent' (there is: perplexity, texts)")]
    public void Names_the_part_that_has_no_value(string text, string error) => Assert.Equal(error, Toy.Fail(text));

    [Fact]
    public void A_condition_is_a_boolean()
    {
        Assert.Equal(
            "at 2: a condition needs a boolean, found number",
            Assert.Throws<ExpressionException>(() => Expression.ParseCondition("a + 1")).Message);
        Assert.Equal("a ? b : 1", Expression.ParseCondition("a ? b : 1").ToString());
        Assert.Equal(
            "at 0: a condition needs a boolean, found 'rounds' (number 3)",
            Assert.Throws<ExpressionException>(() => Toy.Decide("rounds")).Message);
    }

    [Fact]
    public void Keeps_the_position_apart_from_the_message() =>
        Assert.Equal(11, Assert.Throws<ExpressionException>(() => Expression.Parse("sparsity + )")).Position);

    [Fact]
    public void Cuts_long_values_in_messages() =>
        Assert.Equal(
            $"at 1: '-' needs a number, found string \"{new string('x', 39)}…", Toy.Refuse($"-'{new string('x', 100)}'"));
}
