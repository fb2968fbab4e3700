using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Engine;
using Pipelines.Storage;

namespace Pipelines.Web.Api;

/// <summary>Who may ask for what, and who did.</summary>
internal static class TokensApi
{
    private const int MostLines = 1000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/tokens", ListAsync);
        routes.MapPost("/api/tokens", AddAsync);
        routes.MapDelete("/api/tokens/{name}", RevokeAsync);
        routes.MapGet("/api/audit", AuditAsync);
    }

    private static async Task<Ok<IReadOnlyList<TokenView>>> ListAsync(PipelinesEngine engine, CancellationToken cancellation) =>
        TypedResults.Ok(await engine.Tokens.ListAsync(cancellation));

    private static async Task<Created<TokenAdded>> AddAsync(Body<AddToken> body, PipelinesEngine engine, CancellationToken cancellation)
    {
        var add = body.Value;
        var (view, token) = await engine.Tokens.AddAsync(add.Name, add.Role, Lifetime(add.Expires), cancellation);
        return TypedResults.Created($"/api/tokens/{view.Name}", new TokenAdded(view.Name, view.Role, view.Created, view.Expires, token));
    }

    private static async Task<NoContent> RevokeAsync(string name, PipelinesEngine engine, CancellationToken cancellation)
    {
        await engine.Tokens.RevokeAsync(name, cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<IReadOnlyList<AuditView>>> AuditAsync(int? limit, PipelinesEngine engine, CancellationToken cancellation) =>
        limit is null or (> 0 and <= MostLines)
            ? TypedResults.Ok(await engine.Audit.ListAsync(limit ?? 100, cancellation))
            : throw new BadHttpRequestException($"limit is {limit}: expected 1 to {MostLines}");

    private static TimeSpan? Lifetime(string? text) => text is null
        ? null
        : Duration.Read(text) ?? throw new BadHttpRequestException($"expires is '{text}': expected {Duration.Expected}");

    internal sealed record AddToken(string Name, Role Role, string? Expires = null);

    internal sealed record TokenAdded(string Name, Role Role, DateTimeOffset Created, DateTimeOffset? Expires, string Token);
}
