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

    private static async Task<JsonHttpResult<IReadOnlyList<WorkerView>>> ListAsync(PipelinesEngine engine, CancellationToken cancellation) =>
        Body.Answer(await engine.WorkersAsync(cancellation));

    private static async Task<JsonHttpResult<WorkerView>> DrainAsync(
        string id, HttpRequest request, PipelinesEngine engine, CancellationToken cancellation) =>
        Body.Answer(await engine.DrainAsync(id, (await Body.ReadOrEmptyAsync<Drain>(request)).Now, cancellation));

    private static async Task<JsonHttpResult<Dashboard>> DashboardAsync(PipelinesEngine engine, CancellationToken cancellation)
    {
        var disk = new DriveInfo(engine.DataFolder);
        return Body.Answer(Dashboard.Of(
            await engine.OverviewAsync(cancellation), new DiskRoom(disk.AvailableFreeSpace, disk.TotalSize)));
    }

    internal sealed record Drain
    {
        /// <summary>Whether what it runs goes to others at its next checkpoint.</summary>
        public bool Now { get; init; }
    }
}
