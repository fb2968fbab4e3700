using System.Text.Json;
using Pipelines.Workflows.Planning;

namespace Pipelines.Workflows;

/// <summary>A definition that was checked as a whole, with its parameters filled in: what a run executes.</summary>
/// <param name="Stages">
/// Every matrix and every round laid out, in an order in which every stage follows those that feed it.
/// </param>
/// <param name="Parameters">The values that the workflow's parameters had.</param>
/// <param name="Outputs">Where the workflow's outputs come from.</param>
public sealed record Plan(
    WorkflowDefinition Definition,
    IReadOnlyDictionary<string, JsonElement> Parameters,
    IReadOnlyList<PlannedStage> Stages,
    IReadOnlyDictionary<string, PlannedInput> Outputs)
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

    /// <summary>
    /// The faults of a document, whoever runs it: that a parameter must be set is none, nor that it takes what another
    /// workflow gives it.
    /// </summary>
    public static IReadOnlyList<WorkflowError> Check(WorkflowDefinition definition, Catalog catalog) =>
        new PlanCheck(definition, catalog, null).Run().Errors;
}

/// <param name="Id">As in the document; of a group, a matrix or a round <c>sweep.2.prune</c>.</param>
/// <param name="Parameters">Complete: every default written out.</param>
/// <param name="Inputs">Port to what feeds it.</param>
/// <param name="Gate">What is looked at when its feeders are done; null when nothing can keep it from running.</param>
/// <param name="Turns">The branches of bounded fan-outs that it belongs to, the outermost first.</param>
/// <param name="Variables">The values that its matrices have here, and its round.</param>
public sealed record PlannedStage(
    string Id,
    string Kind,
    int Version,
    JsonElement Parameters,
    IReadOnlyDictionary<string, PlannedInput> Inputs,
    int Gpu,
    RetryDefinition Retry,
    double? Timeout,
    Isolation Isolation,
    bool Cache,
    PlannedGate? Gate,
    IReadOnlyList<PlannedTurn> Turns,
    IReadOnlyDictionary<string, JsonElement> Variables)
{
    /// <summary>The stages that must have ended well before this one.</summary>
    public IEnumerable<string> Feeders => Inputs.Values.SelectMany(input => input.Stages)
        .Concat(Gate?.Conditions.SelectMany(condition => condition.Stages) ?? []).Distinct();
}

/// <summary>Whether a stage runs once what feeds it is done: else it is skipped.</summary>
/// <param name="Conditions">All must come out as expected; after the first that does not, none is looked at.</param>
/// <param name="Needs">Ports that must have a value.</param>
public sealed record PlannedGate(IReadOnlyList<PlannedCondition> Conditions, IReadOnlyList<string> Needs);

/// <param name="Expected">What it must come out as.</param>
/// <param name="Variables">The values of the parameters that it names.</param>
/// <param name="Outputs">Each <c>stage.port</c> that it names, and where that value comes from.</param>
public sealed record PlannedCondition(
    string Text,
    bool Expected,
    IReadOnlyDictionary<string, JsonElement> Variables,
    IReadOnlyDictionary<string, PlannedInput> Outputs)
{
    /// <summary>The stages that it reads.</summary>
    public IEnumerable<string> Stages => Outputs.Values.SelectMany(output => output.Stages);
}

/// <summary>A branch of a bounded fan-out.</summary>
/// <param name="Lane">The fan-out.</param>
/// <param name="Index">The branch's place in it, from 1.</param>
/// <param name="Parallel">Branches that may be under way at once.</param>
public sealed record PlannedTurn(string Lane, int Index, int Parallel)
{
    public override string ToString() => $"{Lane}.{Index}";
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
