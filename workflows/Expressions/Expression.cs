using System.Text.Json;
using Pipelines.Workflows.Expressions;

namespace Pipelines.Workflows;

/// <summary>
/// A condition or value in a workflow document: numbers, strings, <c>true false null</c>, names, <c>or and not</c> (also
/// <c>|| &amp;&amp; !</c>), <c>== != &lt; &lt;= &gt; &gt;=</c>, <c>+ - * / %</c>, <c>a ? b : c</c>, parentheses, and
/// the functions <c>min max abs round floor ceil len</c>. There are no loops and no assignments, so evaluating always ends.
/// Nothing is converted: numbers are doubles, conditions are booleans, and what does not fit is an error.
/// </summary>
/// <remarks>
/// Names may contain '-', so a minus after a name needs a space before it. A parameter that is called like a word of the
/// language (<c>and</c>, <c>null</c>) cannot be read. What has no value (a stage that was skipped, an absent member) is an
/// error where it is read, except in a comparison with the word <c>null</c>, which it equals.
/// </remarks>
public sealed class Expression
{
    /// <summary>The most characters that an expression may have.</summary>
    public const int MaxLength = 4096;

    /// <summary>How deep parentheses, operators in a row and functions may nest.</summary>
    public const int MaxDepth = 64;

    private readonly Term root;
    private readonly ValueTypes type;

    private Expression(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MaxLength)
            throw new ExpressionException(MaxLength, $"an expression has {MaxLength} characters at most, not {text.Length}");
        (root, Names) = Parser.Parse(text);
        type = TypeCheck.Of(root);
        Text = text;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Every place where a name is read, in the order of the text; one name may be there more than once.</summary>
    public IReadOnlyCollection<ExpressionName> Names { get; }

    /// <exception cref="ExpressionException">
    /// The text is not an expression, or one that fails whatever its names stand for, such as <c>1 and true</c>.
    /// </exception>
    public static Expression Parse(string text) => new(text);

    /// <inheritdoc cref="Parse"/>
    /// <summary>As <see cref="Parse"/>, and refuses what can never be true or false, such as <c>sparsity + 1</c>.</summary>
    public static Expression ParseCondition(string text)
    {
        var condition = new Expression(text);
        TypeCheck.NeedCondition(new Operand(condition.root, condition.type));
        return condition;
    }

    /// <summary>The value. The functions are asked only for what is needed, and their own exceptions pass through.</summary>
    /// <param name="parameter">The value of a workflow parameter; null when it has none.</param>
    /// <param name="output">
    /// The value of a stage's output, whole, whichever members are read from it; null when it has none.
    /// </param>
    /// <exception cref="ExpressionException">
    /// Values of the wrong type, a number too large, a division by zero, a name or a member without a value.
    /// </exception>
    public JsonElement Evaluate(Func<string, JsonElement?> parameter, Func<OutputName, JsonElement?> output) =>
        new Evaluator(new NameReader(parameter, output)).Evaluate(root);

    /// <summary>The value as a condition.</summary>
    /// <inheritdoc cref="Evaluate"/>
    /// <exception cref="ExpressionException">As <see cref="Evaluate"/>; also when the value is not a boolean.</exception>
    public bool EvaluateCondition(Func<string, JsonElement?> parameter, Func<OutputName, JsonElement?> output)
    {
        var value = Evaluate(parameter, output);
        TypeCheck.NeedCondition(new Operand(root, value));
        return value.GetBoolean();
    }

    public override string ToString() => Text;
}
