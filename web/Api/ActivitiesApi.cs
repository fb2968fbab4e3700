using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Engine;
using Pipelines.Workflows;

namespace Pipelines.Web.Api;

/// <summary>The kinds of stages, with their ports and the schema of their forms.</summary>
internal static class ActivitiesApi
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/activities", List);

    private static Ok<IReadOnlyList<ActivityView>> List(PipelinesEngine engine) => TypedResults.Ok<IReadOnlyList<ActivityView>>(
    [
        .. engine.Catalog.Entries.Select(entry => new ActivityView(
            entry.Kind, entry.Version, entry.Family, entry.Description, entry.Inputs, entry.Outputs, entry.Parameters, entry.Results)),
    ]);

    /// <param name="Parameters">JSON schema.</param>
    /// <param name="Results">JSON schema of the outputs.</param>
    private sealed record ActivityView(
        string Kind, int Version, string Family, string Description, IReadOnlyList<Port> Inputs, IReadOnlyList<Port> Outputs,
        JsonNode Parameters, JsonNode Results);
}
