using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Web.Api;

/// <summary>Runs: started, listed, looked at, cancelled, run again.</summary>
internal static class RunsApi
{
    private const int Page = 50;
    private const int LargestPage = 500;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var runs = routes.MapGroup("/api/runs");
        runs.MapPost("", StartAsync).WithMetadata(RequestedPlan.SizeLimit);
        runs.MapPost("/preview", PreviewAsync).WithMetadata(RequestedPlan.SizeLimit);
        runs.MapGet("", ListAsync);
        runs.MapGet("/{id:guid}", FindAsync);
        runs.MapPost("/{id:guid}/cancel", CancelAsync);
        runs.MapPost("/{id:guid}/reset", ResetAsync);
    }

    private static async Task<Created<Started>> StartAsync(
        Body<StartRun> body, RequestedPlan plans, PipelinesEngine engine, HttpContext context, CancellationToken cancellation)
    {
        var start = body.Value;
        var (plan, version) = await plans.ReadAsync(start.Definition, start.Name, start.Version, start.Values, cancellation);
        var id = await engine.StartRunAsync(plan, new RunRequest(start.NoCache is not true, start.Key, version, Caller.Of(context)?.Name), cancellation);
        return TypedResults.Created($"/api/runs/{id}", new Started(id));
    }

    private static async Task<Ok<IReadOnlyList<StagePreview>>> PreviewAsync(
        Body<StartRun> body, RequestedPlan plans, PipelinesEngine engine, CancellationToken cancellation)
    {
        var start = body.Value;
        var (plan, _) = await plans.ReadAsync(start.Definition, start.Name, start.Version, start.Values, cancellation);
        return TypedResults.Ok(await engine.PreviewRunAsync(plan, start.NoCache is not true, cancellation));
    }

    private static async Task<Ok<IReadOnlyList<RunSummary>>> ListAsync(
        PipelinesEngine engine, CancellationToken cancellation, int? limit = null, Guid? before = null, string? state = null, string? name = null)
    {
        if (limit is < 1 or > LargestPage)
            throw new RefusedException(StatusCodes.Status400BadRequest, $"limit is {limit}: expected 1 to {LargestPage}");
        var filter = new RunFilter(limit ?? Page, before, StateOf(state), string.IsNullOrWhiteSpace(name) ? null : name.Trim());
        return TypedResults.Ok(await engine.Runs.ListAsync(filter, cancellation));
    }

    private static async Task<Results<Ok<RunView>, ProblemHttpResult>> FindAsync(Guid id, PipelinesEngine engine, CancellationToken cancellation) =>
        await engine.Runs.FindAsync(id, cancellation) is { } run
            ? TypedResults.Ok(run)
            : TypedResults.Problem($"there is no run {id}", statusCode: StatusCodes.Status404NotFound);

    private static async Task<NoContent> CancelAsync(Guid id, PipelinesEngine engine, CancellationToken cancellation)
    {
        await engine.CancelRunAsync(id, cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<ResetSummary>> ResetAsync(
        Guid id, Body<Reset> body, PipelinesEngine engine, CancellationToken cancellation)
    {
        var reset = body.Value;
        var again = new RunAgain(reset.From, reset.Only is true, reset.Values);
        return TypedResults.Ok(reset.DryRun is true
            ? await engine.PreviewResetAsync(id, again, cancellation)
            : await engine.ResetRunAsync(id, again, cancellation));
    }

    private static RunState? StateOf(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var states = Enum.GetValues<RunState>().ToDictionary(state => Json.Write(state).GetString()!);
        return states.TryGetValue(text, out var state)
            ? state
            : throw new RefusedException(
                StatusCodes.Status400BadRequest, $"state is '{text}': expected {string.Join(", ", states.Keys)}");
    }

    private sealed record StartRun(
        JsonElement? Definition = null, string? Name = null, int? Version = null, IReadOnlyDictionary<string, JsonElement>? Values = null,
        bool? NoCache = null, string? Key = null);

    private sealed record Started(Guid Id);

    private sealed record Reset(
        string? From = null, bool? Only = null, IReadOnlyDictionary<string, JsonElement>? Values = null, bool? DryRun = null);
}
