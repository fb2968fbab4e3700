using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Pipelines.Web.Api;

/// <summary>What is wrong with a workflow, without running it.</summary>
internal static class ValidateApi
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/validate", CheckAsync).WithMetadata(RequestedPlan.SizeLimit);

    private static async Task<Ok<Found>> CheckAsync(
        Body<Validation> body, RequestedPlan plans, CancellationToken cancellation)
    {
        try
        {
            await plans.ReadAsync(body.Value.Definition, null, null, body.Value.Values, cancellation);
            return TypedResults.Ok(new Found([]));
        }
        catch (FaultyWorkflowException faulty)
        {
            return TypedResults.Ok(new Found(faulty.Faults));
        }
    }

    private sealed record Validation(JsonElement Definition, IReadOnlyDictionary<string, JsonElement>? Values = null);

    private sealed record Found(IReadOnlyList<Fault> Errors);
}
