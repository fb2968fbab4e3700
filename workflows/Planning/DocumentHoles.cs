namespace Pipelines.Workflows.Planning;

/// <summary>Nulls inside of lists, which the types do not admit but JSON can say.</summary>
internal static class DocumentHoles
{
    public static IEnumerable<string> Of(WorkflowDefinition definition) =>
    [
        .. Of(definition.Stages, ""),
        .. Nulls(definition.Parameters).Select(name => $"parameter '{name}'"),
        .. Nulls(definition.Inputs).Select(name => $"input '{name}'"),
        .. Nulls(definition.Outputs).Select(name => $"output '{name}'"),
    ];

    private static IEnumerable<string> Of(IReadOnlyList<StageDefinition> stages, string path)
    {
        foreach (var (stage, index) in stages.Select((stage, index) => (stage, index)))
        {
            if (stage is null)
            {
                yield return $"{path}stages[{index}]";
                continue;
            }

            foreach (var name in Nulls(stage.Inputs))
                yield return $"{path}{stage.Id}: input '{name}'";
            foreach (var name in Nulls(stage.Outputs))
                yield return $"{path}{stage.Id}: output '{name}'";
            foreach (var hole in Of(stage.Stages ?? [], $"{path}{stage.Id}."))
                yield return hole;
            if (stage.Workflow?.Definition is not { } nested)
                continue;
            foreach (var hole in Of(nested))
                yield return $"{path}{stage.Id}.workflow: {hole}";
        }
    }

    private static IEnumerable<string> Nulls<T>(IReadOnlyDictionary<string, T>? members) =>
        (members ?? new Dictionary<string, T>()).Where(member => member.Value is null).Select(member => member.Key);
}
