using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Engine;
using Pipelines.Storage;

namespace Pipelines.Web.Api;

/// <summary>What the stages of a run said, measured and went through.</summary>
internal static class RunStagesApi
{
    /// <summary>Who gets so many lines asks for more.</summary>
    private const int LogPage = 500;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var run = routes.MapGroup("/api/runs/{id:guid}");
        run.MapGet("/logs", LogsAsync);
        run.MapGet("/stages/{stage}/metrics", MetricsAsync);
        run.MapGet("/stages/{stage}/attempts", AttemptsAsync);
    }

    private static async Task<Ok<IReadOnlyList<LogLine>>> LogsAsync(
        Guid id, PipelinesEngine engine, CancellationToken cancellation, string? stage = null, long after = 0)
    {
        var lines = await engine.Runs.LogsAsync(id, string.IsNullOrEmpty(stage) ? null : stage, after, LogPage, cancellation);
        if (lines.Count == 0)
            await engine.Runs.StateAsync(id, cancellation); // says that there is no such run
        return TypedResults.Ok(lines);
    }

    private static async Task<Ok<IReadOnlyList<AttemptMetrics>>> MetricsAsync(
        Guid id, string stage, PipelinesEngine engine, CancellationToken cancellation)
    {
        var metrics = await engine.Runs.MetricsAsync(id, stage, cancellation);
        if (metrics.Count == 0)
            await AttemptsAsync(id, stage, engine, cancellation); // says that there is no such stage
        return TypedResults.Ok(metrics);
    }

    private static async Task<Ok<IReadOnlyList<AttemptView>>> AttemptsAsync(
        Guid id, string stage, PipelinesEngine engine, CancellationToken cancellation) =>
        TypedResults.Ok(await engine.Runs.AttemptsAsync(id, stage, cancellation)
            ?? throw new RefusedException(StatusCodes.Status404NotFound, $"there is no run {id} with a stage '{stage}'"));
}
