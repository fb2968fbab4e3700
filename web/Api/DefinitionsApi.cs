using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Web.Api;

/// <summary>Workflows that are edited on the server: drafts, and the versions that were published of them.</summary>
internal static class DefinitionsApi
{
    private const string Draft = "draft";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var definitions = routes.MapGroup("/api/definitions");
        definitions.MapGet("", ListAsync);
        definitions.MapGet("/{name}", FindAsync);
        definitions.MapPut("/{name}", SaveAsync).WithMetadata(RequestedPlan.SizeLimit);
        definitions.MapDelete("/{name}", DeleteAsync);
        definitions.MapPost("/{name}/publish", PublishAsync);
        definitions.MapGet("/{name}/versions/{version:int}", VersionAsync);
        definitions.MapGet("/{name}/diff", DifferenceAsync);
    }

    private static async Task<Ok<IReadOnlyList<DefinitionSummary>>> ListAsync(PipelinesEngine engine, CancellationToken cancellation) =>
        TypedResults.Ok(await engine.Definitions.ListAsync(cancellation));

    private static async Task<Ok<DefinitionView>> FindAsync(string name, PipelinesEngine engine, CancellationToken cancellation) =>
        TypedResults.Ok(await engine.Definitions.FindAsync(name, cancellation));

    private static async Task<Ok<DefinitionSaved>> SaveAsync(
        string name, Body<SaveDefinition> body, HttpContext context, PipelinesEngine engine, CancellationToken cancellation)
    {
        var save = body.Value;
        return TypedResults.Ok(new DefinitionSaved(
            await engine.Definitions.SaveAsync(name, save.Definition, save.Revision, Caller.Of(context)?.Name, cancellation)));
    }

    private static async Task<NoContent> DeleteAsync(string name, PipelinesEngine engine, CancellationToken cancellation)
    {
        await engine.Definitions.DeleteAsync(name, cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<DefinitionPublished>> PublishAsync(
        string name, HttpContext context, PipelinesEngine engine, CancellationToken cancellation, Body<PublishDefinition>? body = null) =>
        TypedResults.Ok(new DefinitionPublished(
            await engine.Definitions.PublishAsync(name, body?.Value.Revision, Caller.Of(context)?.Name, cancellation)));

    private static async Task<Ok<JsonElement>> VersionAsync(
        string name, int version, PipelinesEngine engine, CancellationToken cancellation) =>
        TypedResults.Ok((await engine.Definitions.FindVersionAsync(name, version, cancellation)).Definition);

    private static async Task<Ok<DefinitionDifference>> DifferenceAsync(
        string name, string from, string to, PipelinesEngine engine, CancellationToken cancellation) =>
        TypedResults.Ok(DefinitionDifference.Of(
            await DocumentAsync(name, from, engine, cancellation), await DocumentAsync(name, to, engine, cancellation)));

    private static async Task<JsonElement> DocumentAsync(string name, string which, PipelinesEngine engine, CancellationToken cancellation)
    {
        if (which == Draft)
            return (await engine.Definitions.FindAsync(name, cancellation)).Definition;
        return int.TryParse(which, out var version)
            ? (await engine.Definitions.FindVersionAsync(name, version, cancellation)).Definition
            : throw new BadHttpRequestException($"'{which}' is no version: expected a number, or {Draft}");
    }

    internal sealed record SaveDefinition(JsonElement Definition, int Revision);

    internal sealed record DefinitionSaved(int Revision);

    internal sealed record PublishDefinition(int? Revision = null);

    internal sealed record DefinitionPublished(int Version);
}
