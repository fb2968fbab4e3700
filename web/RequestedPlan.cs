using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Pipelines.Engine;
using Pipelines.Workflows;

namespace Pipelines.Web;

/// <summary>The workflow that a request holds or names, checked as a whole.</summary>
internal sealed class RequestedPlan(PipelinesEngine engine)
{
    /// <summary>For requests that hold a workflow document: one of the largest size, and what is around it.</summary>
    public static RequestSizeLimitAttribute SizeLimit { get; } = new(WorkflowFile.Largest + (64 << 10));

    private static readonly IReadOnlyDictionary<string, JsonElement> NoValues = new Dictionary<string, JsonElement>();

    /// <param name="definition">The document; null for the published one of this name.</param>
    /// <param name="version">Null for the last.</param>
    /// <exception cref="FaultyWorkflowException">It cannot run.</exception>
    /// <exception cref="RefusedException">It names no definition.</exception>
    /// <exception cref="EngineException">There is no such definition.</exception>
    public async Task<(Plan Plan, int? Version)> ReadAsync(
        JsonElement? definition, string? name, int? version, IReadOnlyDictionary<string, JsonElement>? values,
        CancellationToken cancellation)
    {
        if (definition is { } document)
            return (Check(await engine.Definitions.InlineAsync(Read(document), cancellation), values), null);
        if (name is null)
            throw new RefusedException(StatusCodes.Status400BadRequest, "expected a definition, or the name of a published one");
        var found = await engine.Definitions.ResolveAsync(new DefinitionReference(name, version), cancellation);
        return (Check(found.Definition, values), found.Version);
    }

    /// <exception cref="FaultyWorkflowException">It is no workflow document.</exception>
    private static WorkflowDefinition Read(JsonElement document)
    {
        try
        {
            return Json.Read<WorkflowDefinition>(document);
        }
        catch (JsonException error)
        {
            throw new FaultyWorkflowException([new Fault(null, null, WorkflowFile.Explain(error))]);
        }
    }

    private Plan Check(WorkflowDefinition definition, IReadOnlyDictionary<string, JsonElement>? values) =>
        Plan.TryCreate(definition, engine.Catalog, values ?? NoValues, out var plan, out var errors)
            ? plan
            : throw new FaultyWorkflowException([.. errors.Select(Fault.Of)]);
}
