namespace Pipelines.Workflows;

/// <summary>An expression that cannot be read or evaluated: <c>at 12: expected a value, found ')'</c>.</summary>
public sealed class ExpressionException(int position, string reason) : Exception($"at {position}: {reason}")
{
    /// <summary>Where in the text, from 0.</summary>
    public int Position { get; } = position;
}
