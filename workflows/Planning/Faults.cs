namespace Pipelines.Workflows.Planning;

/// <summary>The faults of a document, in the order in which they were found; one that many branches share is said once.</summary>
internal sealed class Faults
{
    private readonly List<WorkflowError> found = [];
    private readonly HashSet<WorkflowError> seen = [];

    public IReadOnlyList<WorkflowError> Found => found;

    /// <param name="stage">As the document names it, groups included: <c>sweep.prune</c>; null for the document itself.</param>
    public void Add(string? stage, string message)
    {
        var error = new WorkflowError(stage, message);
        if (seen.Add(error))
            found.Add(error);
    }
}
