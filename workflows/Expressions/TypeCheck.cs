namespace Pipelines.Workflows.Expressions;

/// <summary>
/// What operators and functions take and give. The same rules serve before anything is evaluated, where a name may be of any
/// type, and during evaluation, where every type is known.
/// </summary>
internal static class TypeCheck
{
    /// <summary>The types that the value may have.</summary>
    /// <exception cref="ExpressionException">Some part fails whatever the names stand for.</exception>
    public static ValueTypes Of(Term term)
    {
        switch (term)
        {
            case Literal literal:
                return new Operand(literal, literal.Value).Types;
            case Unary unary:
                return Unary(unary, Known(unary.Operand));
            case Binary binary:
                return Binary(binary, Known(binary.Left), Known(binary.Right));
            case Conditional conditional:
                Need("'?'", Known(conditional.Condition), ValueTypes.Boolean);
                return Of(conditional.Then) | Of(conditional.Otherwise);
            case Call call:
                foreach (var argument in call.Arguments)
                    Argument(call.Function, Known(argument));
                return ValueTypes.Number;
            default:
                return ValueTypes.Any;
        }
    }

    public static ValueTypes Unary(Unary unary, Operand operand) =>
        Need($"'{unary.Operator}'", operand, unary.Operator == "-" ? ValueTypes.Number : ValueTypes.Boolean);

    public static ValueTypes Binary(Binary binary, Operand left, Operand right)
    {
        switch (binary.Operator)
        {
            case "==" or "!=":
                return ValueTypes.Boolean;
            case "<" or "<=" or ">" or ">=":
                return (left.Types & right.Types & (ValueTypes.Number | ValueTypes.String)) != ValueTypes.None
                    ? ValueTypes.Boolean
                    : throw new ExpressionException(
                        binary.Position,
                        $"'{binary.Operator}' compares two numbers or two strings, not {left} with {right}");
            default:
                var type = binary.Operator is "and" or "or" ? ValueTypes.Boolean : ValueTypes.Number;
                Need($"'{binary.Operator}'", left, type);
                return Need($"'{binary.Operator}'", right, type);
        }
    }

    public static void Argument(Function function, Operand argument) => Need(function.Name, argument, function.Takes);

    public static ValueTypes Need(string who, Operand operand, ValueTypes types) => operand.May(types)
        ? types
        : throw new ExpressionException(operand.Term.Position, $"{who} needs a {Operand.Words(types)}, found {operand}");

    public static void NeedCondition(Operand operand) => Need("a condition", operand, ValueTypes.Boolean);

    private static Operand Known(Term term) =>
        term is Literal literal ? new Operand(literal, literal.Value) : new Operand(term, Of(term));
}
