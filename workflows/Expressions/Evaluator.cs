using System.Text.Json;

namespace Pipelines.Workflows.Expressions;

/// <summary>Computes a tree's value, each part at most once.</summary>
internal sealed class Evaluator(NameReader names)
{
    /// <exception cref="ExpressionException">Says which part has no value, and why.</exception>
    public JsonElement Evaluate(Term term)
    {
        switch (term)
        {
            case Literal literal:
                return literal.Value;
            case Reading reading:
                return names.Read(reading.Name);
            case Unary unary:
                var operand = Evaluate(unary.Operand);
                TypeCheck.Unary(unary, new Operand(unary.Operand, operand));
                return unary.Operator == "-" ? Json.Write(-operand.GetDouble()) : Json.Write(!operand.GetBoolean());
            case Binary { Operator: "and" or "or" } binary:
                // When the left side decides, the right side is not looked at.
                var decides = binary.Operator == "or";
                return Json.Write(Decide(binary, binary.Left) == decides ? decides : Decide(binary, binary.Right));
            case Binary binary:
                return Compute(binary);
            case Conditional conditional:
                var condition = Evaluate(conditional.Condition);
                TypeCheck.Need("'?'", new Operand(conditional.Condition, condition), ValueTypes.Boolean);
                return Evaluate(condition.GetBoolean() ? conditional.Then : conditional.Otherwise);
            case Call call:
                var arguments = call.Arguments.Select(Evaluate).ToArray();
                foreach (var (argument, value) in call.Arguments.Zip(arguments))
                    TypeCheck.Argument(call.Function, new Operand(argument, value));
                return Json.Write(call.Function.Apply(arguments));
            default:
                throw new InvalidOperationException($"no rule for {term.GetType()}");
        }
    }

    private bool Decide(Binary binary, Term side)
    {
        var value = Evaluate(side);
        TypeCheck.Need($"'{binary.Operator}'", new Operand(side, value), ValueTypes.Boolean);
        return value.GetBoolean();
    }

    private JsonElement Compute(Binary binary)
    {
        if (binary.Operator is "==" or "!=")
            return Json.Write(AreEqual(binary) == (binary.Operator == "=="));

        var left = Evaluate(binary.Left);
        var right = Evaluate(binary.Right);
        TypeCheck.Binary(binary, new Operand(binary.Left, left), new Operand(binary.Right, right));
        if (binary.Operator is "<" or "<=" or ">" or ">=")
            return Json.Write(Compare(binary.Operator, left, right));

        var (a, b) = (left.GetDouble(), right.GetDouble());
        if (binary.Operator is "/" or "%" && b == 0)
            throw new ExpressionException(binary.Position, "division by zero");
        var result = binary.Operator switch { "+" => a + b, "-" => a - b, "*" => a * b, "/" => a / b, _ => a % b };
        return double.IsFinite(result)
            ? Json.Write(result)
            : throw new ExpressionException(binary.Position, $"{a:R} {binary.Operator} {b:R} is too large for a number");
    }

    private static bool Compare(string sign, JsonElement left, JsonElement right)
    {
        var order = left.ValueKind == JsonValueKind.Number
            ? left.GetDouble().CompareTo(right.GetDouble())
            : string.CompareOrdinal(left.GetString(), right.GetString());
        return sign switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    private bool AreEqual(Binary binary)
    {
        // Nulls are not written in outputs, so a comparison with null asks whether there is a value.
        var left = Side(binary.Left, binary.Right);
        var right = Side(binary.Right, binary.Left);
        if (left.ValueKind == JsonValueKind.Number && right.ValueKind == JsonValueKind.Number)
            return left.GetDouble() == right.GetDouble();
        try
        {
            return JsonElement.DeepEquals(left, right);
        }
        catch (Exception error) when (
            error is InvalidOperationException or ArgumentException or InsufficientExecutionStackException)
        {
            // Inside of an array or object: half of a surrogate pair, an exponent of ten digits, a depth of thousands.
            throw new ExpressionException(binary.Position, "the values cannot be compared");
        }
    }

    private JsonElement Side(Term side, Term other) =>
        side is Reading reading ? names.Read(reading.Name, absentIsNull: other is Literal { IsNull: true }) : Evaluate(side);
}
