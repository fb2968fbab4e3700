using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows.Expressions;

public sealed class ExpressionTests
{
    [Theory]
    // Tight binds before loose.
    [InlineData("1 + 2 * 3", "7")]
    [InlineData("(1 + 2) * 3", "9")]
    [InlineData("2 * 3 + 1", "7")]
    [InlineData("7 - 4 % 3", "6")]
    [InlineData("-2 * 3 + 10", "4")]
    [InlineData("10 - -3", "13")]
    [InlineData("--3", "3")]
    [InlineData("1 + 1 < 3", "true")]
    [InlineData("1 < 2 == true", null)]
    [InlineData("(1 < 2) == true", "true")]
    [InlineData("1 < 2 and 2 < 1", "false")]
    [InlineData("true or false and false", "true")]
    [InlineData("(true or false) and false", "false")]
    [InlineData("not false or true", "true")]
    [InlineData("not false and false", "false")]
    [InlineData("not 1 == 2", "true")]
    [InlineData("true == not false", "true")]
    [InlineData("false or true ? 1 : 2", "1")]
    [InlineData("true ? 1 : false ? 2 : 3", "1")]
    [InlineData("false ? 1 : false ? 2 : 3", "3")]
    [InlineData("true ? false ? 1 : 2 : 3", "2")]
    [InlineData("(true ? 1 : 2) + 10", "11")]
    // Equal binds from the left.
    [InlineData("10 - 4 - 3", "3")]
    [InlineData("100 / 10 / 5", "2")]
    [InlineData("100 / 10 * 5", "50")]
    [InlineData("17 % 10 % 4", "3")]
    // The other spellings.
    [InlineData("true && !false || false", "true")]
    [InlineData("!fast == false", "true")]
    public void Binds_operators_as_in_arithmetic(string text, string? value)
    {
        if (value is null)
            Assert.Contains("do not chain", Toy.Refuse(text), StringComparison.Ordinal);
        else
            Assert.Equal(value, Toy.Evaluate(text).GetRawText());
    }

    [Theory]
    [InlineData("42", "42")]
    [InlineData("0.25", "0.25")]
    [InlineData("1e3", "1000")]
    [InlineData("2.5E-1", "0.25")]
    [InlineData("1e-999", "0")]
    [InlineData("true", "true")]
    [InlineData("null", "null")]
    [InlineData("sparsity", "0.5")]
    [InlineData(" \t\n rounds\r\n", "3")]
    [InlineData("min", "7")]
    [InlineData("min(min, 8)", "7")]
    [InlineData("evaluate.measurement.texts", "[\"a\", \"b\"]")]
    [InlineData("evaluate-dense.measurement.perplexity", "12.5")]
    [InlineData("evaluate-dense.measurement.and.true", "1")]
    [InlineData("not.value", "1")]
    [InlineData("not not.value == 1", "false")]
    [InlineData("evaluate-dense.measurement.perplexity -evaluate.measurement.perplexity", "2.5")]
    [InlineData("rounds -1", "2")]
    [InlineData("3-1", "2")]
    [InlineData("(rounds)-1", "2")]
    public void Reads_values_and_names(string text, string value) =>
        Assert.Equal(value, Toy.Evaluate(text).GetRawText());

    [Theory]
    [InlineData("'it is \"so\"'", "it is \"so\"")]
    [InlineData("\"it's\"", "it's")]
    [InlineData(@"'it\'s \\ \/ \n\t\r A\u00e9'", "it's \\ / \n\t\r Aé")]
    [InlineData(@"'\ud83d\ude00'", "😀")]
    [InlineData("'😀 + )'", "😀 + )")]
    [InlineData("''", "")]
    public void Reads_strings(string text, string value) => Assert.Equal(value, Toy.Evaluate(text).GetString());

    [Theory]
    [InlineData("min(3, 1, 2)", 1)]
    [InlineData("min(5)", 5)]
    [InlineData("max(3, 1 + 9, 2)", 10)]
    [InlineData("max(-3, -1)", -1)]
    [InlineData("abs(-2.5)", 2.5)]
    [InlineData("abs(2.5)", 2.5)]
    [InlineData("round(2.5)", 3)]
    [InlineData("round(-2.5)", -3)]
    [InlineData("round(2.4)", 2)]
    [InlineData("floor(2.7)", 2)]
    [InlineData("floor(-2.1)", -3)]
    [InlineData("ceil(2.1)", 3)]
    [InlineData("ceil(-2.7)", -2)]
    [InlineData("len('')", 0)]
    [InlineData("len('a😀')", 2)]
    [InlineData("len(evaluate.measurement.texts)", 2)]
    [InlineData("len (evaluate.measurement)", 2)]
    [InlineData("-7 % 3", -1)]
    [InlineData("7.5 % 2", 1.5)]
    public void Computes(string text, double value) => Assert.Equal(value, Toy.Evaluate(text).GetDouble());

    [Theory]
    [InlineData("1 == 1.0", true)]
    [InlineData("0 == -0", true)]
    [InlineData("1 != 1", false)]
    [InlineData("1 == '1'", false)]
    [InlineData("1 != '1'", true)]
    [InlineData("0 == false", false)]
    [InlineData("null == false", false)]
    [InlineData("null == null", true)]
    [InlineData("name == 'llama'", true)]
    [InlineData("name == 'Llama'", false)]
    [InlineData("2 <= 2 and 2 >= 2 and not 2 < 2 and not 2 > 2", true)]
    [InlineData("'a' < 'b' and 'Z' < 'a' and 'a' <= 'a' and 'b' > 'a'", true)]
    [InlineData("10 < 9", false)]
    [InlineData("'10' < '9'", true)]
    [InlineData("evaluate.measurement.texts == evaluate-dense.measurement.texts", true)]
    [InlineData("evaluate.measurement == evaluate-dense.measurement", false)]
    [InlineData("evaluate.measurement == null", false)]
    public void Compares(string text, bool value) => Assert.Equal(value, Toy.Decide(text));

    // A null is not written in an output, so its absence must read as one; and a stage may have been skipped.
    [Theory]
    [InlineData("evaluate.none == null", true)]
    [InlineData("evaluate-dense.measurement.note == null", true)]
    [InlineData("evaluate-dense.measurement.absent == null", true)]
    [InlineData("null != evaluate-dense.measurement.absent", false)]
    [InlineData("skipped.value == null", true)]
    [InlineData("unset == null", true)]
    [InlineData("skipped.value != null and skipped.value > 3", false)]
    public void Asks_for_null_where_there_is_no_value(string text, bool value) => Assert.Equal(value, Toy.Decide(text));

    [Theory]
    [InlineData("false and 1 / 0 > 1", "false")]
    [InlineData("true or skipped.value", "true")]
    [InlineData("true ? 1 : 1 / 0", "1")]
    [InlineData("false ? skipped.value : 2", "2")]
    public void Does_not_evaluate_what_is_not_needed(string text, string value) =>
        Assert.Equal(value, Toy.Evaluate(text).GetRawText());

    [Fact]
    public void Names_everything_that_is_read_with_its_place()
    {
        var names = Expression.Parse("true or a-b > max(evaluate.measurement.x.y, a-b) ? 'no.name' : c.d").Names;

        Assert.Equal(
            [("a-b", 8), ("evaluate.measurement.x.y", 18), ("a-b", 44), ("c.d", 63)],
            names.Select(name => (name.ToString(), name.Position)));
        Assert.Equal(["a-b", null, "a-b", null], names.Select(name => name.Parameter));
        Assert.Equal(
            [null, new OutputName("evaluate", "measurement"), null, new OutputName("c", "d")],
            names.Select(name => name.Output));
        Assert.Equal(["x", "y"], names.ElementAt(1).Path);
        Assert.All([names.First(), names.Last()], name => Assert.Empty(name.Path));
    }

    [Fact]
    public void Asks_only_for_the_names_that_it_reads()
    {
        var asked = new List<string>();

        Expression.Parse("p and s.a.x == 1").Evaluate(
            name =>
            {
                asked.Add(name);
                return Json.Write(true);
            },
            output =>
            {
                asked.Add(output.ToString());
                return JsonElement.Parse("""{ "x": 1 }""");
            });

        Assert.Equal(["p", "s.a"], asked);
    }
}
