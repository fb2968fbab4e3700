using System.Text.Json;
using Pipelines.Engine.Definitions;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine.Schedules;

/// <summary>What a schedule's run executes, made from the row at the moment of its firing.</summary>
internal static class ScheduledPlan
{
    /// <returns>With the published version that it was made of, if it was.</returns>
    /// <exception cref="EngineException">Names every fault of the workflow, or the parameter that nothing matches.</exception>
    public static async Task<(Plan Plan, int? Version)> OfAsync(
        ScheduleRow row, DefinitionBook definitions, Catalog catalog, CancellationToken cancellation)
    {
        var (definition, version) = await definitions.ResolveAsync(Json.Read<NestedWorkflow>(row.Definition), cancellation);
        var parameters = Json.Read<Dictionary<string, JsonElement>>(row.Parameters);
        foreach (var (name, value) in Latest(definition, parameters).ToArray())
            parameters[name] = Json.Write(LatestEntry.Resolve(value));
        return (Of(definition, catalog, parameters), version);
    }

    /// <exception cref="EngineException">Names every fault of the workflow.</exception>
    public static Plan Of(
        WorkflowDefinition definition, Catalog catalog, IReadOnlyDictionary<string, JsonElement> parameters) =>
        Plan.TryCreate(definition, catalog, parameters, out var plan, out var errors)
            ? plan
            : throw new EngineException(
                $"the workflow {definition.Name} has {errors.Count} {(errors.Count == 1 ? "fault" : "faults")}: "
                + string.Join("; ", errors));

    /// <summary>The parameters of type path that name the latest of a folder.</summary>
    public static IEnumerable<(string Name, string Value)> Latest(
        WorkflowDefinition definition, IReadOnlyDictionary<string, JsonElement> parameters) =>
        from parameter in parameters
        where definition.Parameters?.GetValueOrDefault(parameter.Key)?.Type == ParameterType.Path
            && parameter.Value.ValueKind == JsonValueKind.String && LatestEntry.Is(parameter.Value.GetString()!)
        select (parameter.Key, parameter.Value.GetString()!);
}
