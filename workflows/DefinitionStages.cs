namespace Pipelines.Workflows;

/// <summary>Changes the activities of a document, however deep they lie in groups and workflows.</summary>
public static class DefinitionStages
{
    /// <param name="change">Is given where it lies, <c>sweep.prune</c>, and the activity.</param>
    public static WorkflowDefinition MapActivities(
        this WorkflowDefinition definition, Func<string, StageDefinition, StageDefinition> change) =>
        definition with { Stages = Map(definition.Stages, "", change) };

    private static IReadOnlyList<StageDefinition> Map(
        IReadOnlyList<StageDefinition> stages, string around, Func<string, StageDefinition, StageDefinition> change) =>
    [
        .. stages.Select(stage => stage switch
        {
            null => null!, // said where the document is checked
            { Stages: { } inner } => stage with { Stages = Map(inner, $"{around}{stage.Id}.", change) },
            { Workflow.Definition: { } nested } => stage with
            {
                Workflow = new NestedWorkflow(null, nested with { Stages = Map(nested.Stages, $"{around}{stage.Id}.", change) }),
            },
            _ => change(around + stage.Id, stage),
        }),
    ];
}
