namespace Pipelines.Workflows;

/// <summary>
/// A name in an expression. One part names a parameter of the workflow; more name a stage, its port, and a path into the
/// output's JSON: <c>evaluate.measurement.perplexity</c>.
/// </summary>
/// <param name="Parts">What stood between the dots.</param>
/// <param name="Position">Where the name begins, from 0.</param>
public sealed record ExpressionName(IReadOnlyList<string> Parts, int Position)
{
    /// <summary>The parameter that is read; null when it is an output.</summary>
    public string? Parameter => Parts.Count == 1 ? Parts[0] : null;

    /// <summary>The output that is read; null when it is a parameter.</summary>
    public OutputName? Output => Parts.Count > 1 ? new OutputName(Parts[0], Parts[1]) : null;

    /// <summary>The members that are followed into the output's JSON.</summary>
    public IEnumerable<string> Path => Parts.Skip(2);

    public override string ToString() => string.Join('.', Parts);
}
