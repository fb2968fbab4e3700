using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Engine;
using Pipelines.Storage;

namespace Pipelines.Web.Api;

/// <summary>The processes that execute stages, and whether anything at all is wrong.</summary>
internal static class WorkersApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/workers", ListAsync);
        routes.MapPost("/api/workers/{id}/drain", DrainAsync);
        routes.MapGet("/api/dashboard", DashboardAsync);
    }

    private static async Task<Ok<IReadOnlyList<WorkerView>>> ListAsync(PipelinesEngine engine, CancellationToken cancellation) =>
        TypedResults.Ok(await engine.WorkersAsync(cancellation));

    private static async Task<Ok<WorkerView>> DrainAsync(
        string id, PipelinesEngine engine, CancellationToken cancellation, Body<Drain>? body = null) =>
        TypedResults.Ok(await engine.DrainAsync(id, body?.Value.Now is true, cancellation));

    private static async Task<Ok<Dashboard>> DashboardAsync(PipelinesEngine engine, CancellationToken cancellation)
    {
        var disk = new DriveInfo(engine.DataFolder);
        return TypedResults.Ok(Dashboard.Of(
            await engine.OverviewAsync(cancellation), new DiskRoom(disk.AvailableFreeSpace, disk.TotalSize)));
    }

    /// <param name="Now">Whether what it runs goes to others at its next checkpoint.</param>
    internal sealed record Drain(bool Now = false);
}
