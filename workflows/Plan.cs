using System.Text.Json;

namespace Pipelines.Workflows;

/// <summary>A definition that was checked as a whole, with its parameters filled in: what a run executes.</summary>
/// <param name="Stages">In an order in which every stage follows those that feed it.</param>
/// <param name="Parameters">The values that the workflow's parameters had.</param>
public sealed record Plan(
    WorkflowDefinition Definition,
    IReadOnlyDictionary<string, JsonElement> Parameters,
    IReadOnlyList<PlannedStage> Stages)
{
    /// <summary>Checks everything and reports every fault at once.</summary>
    /// <param name="values">Values for the workflow's parameters, by name.</param>
    public static bool TryCreate(
        WorkflowDefinition definition,
        Catalog catalog,
        IReadOnlyDictionary<string, JsonElement> values,
        out Plan plan,
        out IReadOnlyList<WorkflowError> errors)
    {
        var check = new PlanCheck(definition, catalog, values);
        (plan, errors) = check.Run();
        return errors.Count == 0;
    }
}

/// <param name="Parameters">Complete: every default written out.</param>
/// <param name="Inputs">Port to the output that feeds it.</param>
public sealed record PlannedStage(
    string Id,
    string Kind,
    int Version,
    JsonElement Parameters,
    IReadOnlyDictionary<string, OutputName> Inputs,
    int Gpu,
    RetryDefinition Retry,
    double? Timeout,
    Isolation Isolation,
    bool Cache)
{
    /// <summary>The stages that must be done before this one.</summary>
    public IEnumerable<string> Feeders => Inputs.Values.Select(output => output.Stage).Distinct();
}

/// <summary>An output port of a stage, written <c>stage.port</c>.</summary>
public sealed record OutputName(string Stage, string Port)
{
    public static OutputName? Parse(string text)
    {
        var dot = text.LastIndexOf('.');
        return dot > 0 && dot < text.Length - 1 ? new OutputName(text[..dot], text[(dot + 1)..]) : null;
    }

    public override string ToString() => $"{Stage}.{Port}";
}
