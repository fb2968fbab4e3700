using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Pipelines.Web.Api;

/// <summary>Whether the server answers; says nothing else, and wants no token.</summary>
internal static class HealthApi
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/health", Alive);

    private static Ok Alive() => TypedResults.Ok();
}
