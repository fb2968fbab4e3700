using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Pipelines.Engine;
using Pipelines.Storage;

namespace Pipelines.Web.Api;

/// <summary>Whether the server answers; says nothing else, and wants no token. And, for those who may know, how it is.</summary>
internal static class HealthApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health", Alive);
        routes.MapGet("/api/health", DetailsAsync);
    }

    private static Ok Alive() => TypedResults.Ok();

    private static async Task<JsonHttpResult<Health>> DetailsAsync(PipelinesEngine engine, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            await using (var db = engine.Database.Create())
                await db.Database.ExecuteSqlAsync($"SELECT 1", patience.Token);
            var worker = engine.WorkerId is { } id
                ? (await engine.WorkersAsync(patience.Token)).FirstOrDefault(worker => worker.Id == id)
                : null;
            return Answer(StatusCodes.Status200OK, new Health("ok", Build.Version, new DatabaseHealth(engine.DatabaseDescription, null), worker));
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            var reason = error is OperationCanceledException ? $"no answer within {Patience.TotalSeconds} s" : error.GetBaseException().Message;
            return Answer(
                StatusCodes.Status503ServiceUnavailable,
                new Health("database-away", Build.Version, new DatabaseHealth(engine.DatabaseDescription, reason), null));
        }
    }

    private static JsonHttpResult<Health> Answer(int status, Health health) => TypedResults.Json(health, statusCode: status);

    /// <param name="Status"><c>ok</c> or <c>database-away</c>.</param>
    /// <param name="Worker">That of this process; null when it executes nothing.</param>
    private sealed record Health(string Status, string Version, DatabaseHealth Database, WorkerView? Worker);

    /// <param name="Fault">Null when it answers.</param>
    private sealed record DatabaseHealth(string Description, string? Fault);
}
