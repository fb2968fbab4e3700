using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Planning;

/// <summary>One check of a whole definition. Collects faults instead of stopping at the first.</summary>
/// <param name="values">Null when they are still to come.</param>
internal sealed class PlanCheck(
    WorkflowDefinition definition, Catalog catalog, IReadOnlyDictionary<string, JsonElement>? values)
{
    private readonly Faults faults = new();

    public (Plan Plan, IReadOnlyList<WorkflowError> Errors) Run()
    {
        var plan = new Plan(
            definition, new Dictionary<string, JsonElement>(), [], new Dictionary<string, PlannedInput>());
        if (DocumentHoles.Of(definition).ToArray() is { Length: > 0 } holes)
        {
            foreach (var hole in holes)
                faults.Add(null, $"{hole} is null");
            return (plan, faults.Found);
        }

        // Results go to a folder that is called after the workflow.
        if (string.IsNullOrWhiteSpace(definition.Name) || definition.Name.AsSpan().ContainsAny("/\\\0"))
            faults.Add(null, $"the name is '{definition.Name}': expected a text without slashes");
        if (definition.Stages.Count == 0)
            faults.Add(null, "the workflow has no stages");

        var resolver = new Resolver(faults);
        var variables = ParameterValues.Read(definition, values, null, faults);
        var scope = new Scope(null, variables);
        if (definition.Inputs is { Count: > 0 } declared)
        {
            if (values is not null)
                faults.Add(null, $"the workflow takes {string.Join(", ", declared.Keys)}: it can only run as a stage of another");
            scope = scope with { Inputs = new DeclaredInputs(declared) };
        }

        var expansion = new Expansion(catalog, resolver, faults);
        expansion.Add(definition.Stages, scope);
        expansion.CheckInputs();
        var conditions = new ConditionCheck(resolver, faults);
        var planned = expansion.Leaves.ConvertAll(leaf => PlanStage(leaf, conditions));
        var outputs = new Dictionary<string, PlannedInput>();
        foreach (var (name, sources) in definition.Outputs ?? new Dictionary<string, Sources>())
        {
            if (resolver.Join(sources, scope, null, $"output '{name}'", asList: false) is { } found)
                outputs[name] = found.Input;
        }

        if (faults.Found.Count == 0)
            planned = Gates.Mark(StageOrder.Of(planned, faults));
        return (plan with { Parameters = variables.Values, Stages = planned, Outputs = outputs }, faults.Found);
    }

    private PlannedStage PlanStage(Leaf leaf, ConditionCheck conditions)
    {
        var stage = leaf.Definition;
        var inputs = leaf.Entry is { } entry ? PortCheck.Join(leaf, entry, faults) : [];
        var needs = leaf.Entry?.Inputs.Where(port => !port.Optional).Select(port => port.Name).ToList() ?? [];
        return new PlannedStage(
            leaf.Id, stage.Kind ?? "", leaf.Entry?.Version ?? 0, Parameters(leaf), inputs,
            stage.Resources?.Gpu ?? 0, stage.Retry ?? new RetryDefinition(), stage.Timeout,
            stage.Isolation ?? Isolation.None, stage.Cache ?? true,
            new PlannedGate(conditions.Plan(leaf.Scope.Conditions), needs), leaf.Scope.Turns, leaf.Scope.Marks);
    }

    /// <summary>With every value filled in and every default written out, as far as they are not at fault.</summary>
    private JsonElement Parameters(Leaf leaf)
    {
        var given = leaf.Definition.Parameters ?? Json.Write(new JsonObject());
        if (given.ValueKind != JsonValueKind.Object)
        {
            faults.Add(leaf.Stage, "parameters: expected an object");
            return default;
        }

        if (new Template(leaf.Scope.Variables, leaf.Stage, faults).Fill(given) is not { } filled || leaf.Entry is null)
            return default;
        var check = leaf.Entry.Check(filled);
        foreach (var error in check.Errors)
            faults.Add(leaf.Stage, error);
        return check.Complete;
    }
}
