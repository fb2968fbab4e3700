using System.Text.Json;

namespace Pipelines.Workflows.Expressions;

/// <summary>A part of an expression that has a value.</summary>
/// <param name="Position">Where it is marked when it fails: its operator, else its beginning.</param>
/// <param name="Depth">Of the tree under it; bounded, since the tree is walked by recursion.</param>
internal abstract record Term(int Position, int Depth);

internal sealed record Literal(JsonElement Value, int Position) : Term(Position, 1)
{
    public bool IsNull => Value.ValueKind == JsonValueKind.Null;
}

internal sealed record Reading(ExpressionName Name) : Term(Name.Position, 1);

/// <param name="Operator"><c>-</c> or <c>not</c>.</param>
internal sealed record Unary(string Operator, Term Operand, int Position) : Term(Position, 1 + Operand.Depth);

internal sealed record Binary(string Operator, Term Left, Term Right, int Position)
    : Term(Position, 1 + Math.Max(Left.Depth, Right.Depth));

internal sealed record Conditional(Term Condition, Term Then, Term Otherwise, int Position)
    : Term(Position, 1 + Math.Max(Condition.Depth, Math.Max(Then.Depth, Otherwise.Depth)));

internal sealed record Call(Function Function, IReadOnlyList<Term> Arguments, int Position)
    : Term(Position, 1 + Arguments.Max(argument => argument.Depth));
