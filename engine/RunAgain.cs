using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>What of a run to run again; nothing said means what did not succeed.</summary>
/// <param name="From">This stage, anew, and what it feeds.</param>
/// <param name="Only">Of those only the stage itself.</param>
/// <param name="Values">New values of the workflow's parameters, by name.</param>
public sealed record RunAgain(string? From = null, bool Only = false, IReadOnlyDictionary<string, JsonElement>? Values = null)
{
    /// <summary>The parameters of the stages that the new values change, and all values.</summary>
    /// <exception cref="EngineException">A value does not fit; the message names every fault.</exception>
    internal ResetRequest Request(RunView run, Catalog catalog)
    {
        var request = new ResetRequest(From, Only);
        if (Values is null or { Count: 0 })
            return request;
        var values = run.Parameters.ToDictionary();
        foreach (var (name, value) in Values)
            values[name] = value;
        if (!Plan.TryCreate(run.Definition, catalog, values, out var after, out var faults))
            throw new EngineException(string.Join('\n', faults));
        if (!Plan.TryCreate(run.Definition, catalog, run.Parameters, out var before, out faults))
            throw new EngineException($"this version cannot run the workflow any more:\n{string.Join('\n', faults)}");
        if (!before.Stages.Select(stage => stage.Id).SequenceEqual(after.Stages.Select(stage => stage.Id)))
            throw new EngineException("the new values change which stages there are: start a new run");
        var changed = before.Stages.Zip(after.Stages)
            .Where(pair => !JsonElement.DeepEquals(Given(pair.First), Given(pair.Second)))
            .ToDictionary(pair => pair.Second.Id, pair => pair.Second);
        return request with { Changed = changed, Values = after.Parameters };
    }

    private static JsonElement Given(PlannedStage stage) =>
        Json.Write(new { stage.Parameters, stage.Inputs, stage.Gate, stage.Variables });
}
