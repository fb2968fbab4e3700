using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Engine;
using Pipelines.Engine.Schedules;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Web.Api;

/// <summary>Workflows that start at certain times.</summary>
internal static class SchedulesApi
{
    private const int NextTimes = 5;
    private const int MostTimes = 100;
    private const string ExpectedWorkflow = "expected one of definition (with a version, or the latest) and document";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var schedules = routes.MapGroup("/api/schedules");
        schedules.MapGet("", ListAsync);
        schedules.MapPost("", AddAsync).WithMetadata(RequestedPlan.SizeLimit);
        schedules.MapPost("/preview", PreviewAsync);
        schedules.MapGet("/{name}", FindAsync);
        schedules.MapPut("/{name}", EditAsync).WithMetadata(RequestedPlan.SizeLimit);
        schedules.MapDelete("/{name}", RemoveAsync);
        schedules.MapPost("/{name}/pause", PauseAsync);
        schedules.MapPost("/{name}/resume", ResumeAsync);
        schedules.MapPost("/{name}/trigger", TriggerAsync);
        schedules.MapGet("/{name}/history", HistoryAsync);
    }

    private static async Task<Ok<IReadOnlyList<ScheduleAnswer>>> ListAsync(PipelinesEngine engine, CancellationToken cancellation)
    {
        var schedules = await engine.Schedules.ListAsync(cancellation);
        var last = await engine.Schedules.LastAsync(cancellation);
        return TypedResults.Ok<IReadOnlyList<ScheduleAnswer>>(
            [.. schedules.Select(schedule => Answer(schedule, last.GetValueOrDefault(schedule.Name)))]);
    }

    private static async Task<Ok<ScheduleAnswer>> FindAsync(string name, PipelinesEngine engine, CancellationToken cancellation) =>
        TypedResults.Ok(await AnswerAsync(await engine.Schedules.FindAsync(name, cancellation), engine, cancellation));

    private static async Task<Created<ScheduleAnswer>> AddAsync(
        Body<AddSchedule> body, PipelinesEngine engine, CancellationToken cancellation)
    {
        var add = body.Value;
        var (zone, missed, overlap) = (add.Zone ?? "UTC", add.Missed ?? MissedPolicy.Once, add.Overlap ?? OverlapPolicy.Skip);
        var parameters = add.Parameters ?? new Dictionary<string, JsonElement>();
        var added = add switch
        {
            { Definition: { } name, Document: null } => await engine.Schedules.AddAsync(
                add.Name, add.Cron, zone, missed, overlap, new DefinitionReference(name, add.Version), parameters, cancellation),
            { Document: { } document, Definition: null, Version: null } => await engine.Schedules.AddAsync(
                add.Name, add.Cron, zone, missed, overlap, document, parameters, cancellation),
            _ => throw new BadHttpRequestException(ExpectedWorkflow),
        };
        return TypedResults.Created($"/api/schedules/{added.Name}", await AnswerAsync(added, engine, cancellation));
    }

    private static async Task<Ok<ScheduleAnswer>> EditAsync(
        string name, Body<EditSchedule> body, PipelinesEngine engine, CancellationToken cancellation)
    {
        var edit = body.Value;
        var definition = edit switch
        {
            { Definition: { } published, Document: null } => new DefinitionReference(published, edit.Version),
            { Definition: null, Version: null } => null,
            _ => throw new BadHttpRequestException(ExpectedWorkflow),
        };
        var edited = await engine.Schedules.EditAsync(
            name, new ScheduleChange(edit.Cron, edit.Zone, edit.Missed, edit.Overlap, definition, edit.Document, edit.Parameters), cancellation);
        return TypedResults.Ok(await AnswerAsync(edited, engine, cancellation));
    }

    private static async Task<Results<Ok<PreviewAnswer>, ProblemHttpResult>> PreviewAsync(
        Body<Preview> body, PipelinesEngine engine, CancellationToken cancellation)
    {
        var preview = body.Value;
        if (preview.Count is < 1 or > MostTimes)
        {
            return TypedResults.Problem(
                $"count is {preview.Count}: expected 1 to {MostTimes}", statusCode: StatusCodes.Status422UnprocessableEntity,
                extensions: new Dictionary<string, object?> { ["field"] = "count" });
        }

        return TypedResults.Ok(new PreviewAnswer(
            await engine.Schedules.PreviewAsync(preview.Cron, preview.Zone ?? "UTC", preview.Count ?? NextTimes, cancellation)));
    }

    private static async Task<NoContent> RemoveAsync(string name, PipelinesEngine engine, CancellationToken cancellation)
    {
        await engine.Schedules.RemoveAsync(name, cancellation);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<ScheduleAnswer>> PauseAsync(
        string name, PipelinesEngine engine, CancellationToken cancellation, Body<Pause>? body = null)
    {
        await engine.Schedules.PauseAsync(name, body?.Value.Reason, cancellation);
        return await FindAsync(name, engine, cancellation);
    }

    private static async Task<Ok<ScheduleAnswer>> ResumeAsync(string name, PipelinesEngine engine, CancellationToken cancellation)
    {
        await engine.Schedules.ResumeAsync(name, cancellation);
        return await FindAsync(name, engine, cancellation);
    }

    private static async Task<Ok<FireView>> TriggerAsync(string name, PipelinesEngine engine, CancellationToken cancellation) =>
        TypedResults.Ok(await engine.Schedules.TriggerAsync(name, cancellation));

    private static async Task<Ok<IReadOnlyList<FireView>>> HistoryAsync(
        string name, int? limit, PipelinesEngine engine, CancellationToken cancellation)
    {
        if (limit is < 1 or > MostTimes)
            throw new BadHttpRequestException($"limit is {limit}: expected 1 to {MostTimes}");
        await engine.Schedules.FindAsync(name, cancellation);
        return TypedResults.Ok(await engine.Schedules.HistoryAsync(name, limit ?? 20, cancellation));
    }

    private static async Task<ScheduleAnswer> AnswerAsync(ScheduleView schedule, PipelinesEngine engine, CancellationToken cancellation) =>
        Answer(schedule, (await engine.Schedules.HistoryAsync(schedule.Name, 1, cancellation)).SingleOrDefault());

    private static ScheduleAnswer Answer(ScheduleView schedule, FireView? last) => new(
        schedule.Name, schedule.Workflow, schedule.Definition, schedule.Version, schedule.Cron, schedule.Zone, schedule.Missed,
        schedule.Overlap, schedule.Parameters, schedule.Created, schedule.PausedAt, schedule.PauseReason, Next(schedule), last);

    // The machine that added it may know a zone that this one does not; the others are to be seen all the same.
    private static IReadOnlyList<DateTimeOffset> Next(ScheduleView schedule)
    {
        try
        {
            return ScheduleBook.NextTimes(schedule, NextTimes);
        }
        catch (CronException)
        {
            return schedule.Next is { } known ? [known] : [];
        }
    }

    internal sealed record AddSchedule(
        string Name, string Cron, string? Zone = null, MissedPolicy? Missed = null, OverlapPolicy? Overlap = null, string? Definition = null,
        int? Version = null, WorkflowDefinition? Document = null, IReadOnlyDictionary<string, JsonElement>? Parameters = null);

    /// <summary>What is left out stays as it is.</summary>
    internal sealed record EditSchedule(
        string? Cron = null, string? Zone = null, MissedPolicy? Missed = null, OverlapPolicy? Overlap = null, string? Definition = null,
        int? Version = null, WorkflowDefinition? Document = null, IReadOnlyDictionary<string, JsonElement>? Parameters = null);

    internal sealed record Preview(string Cron, string? Zone = null, int? Count = null);

    internal sealed record PreviewAnswer(IReadOnlyList<DateTimeOffset> Times);

    internal sealed record Pause(string? Reason = null);

    internal sealed record ScheduleAnswer(
        string Name, string Workflow, string? Definition, int? Version, string Cron, string Zone, MissedPolicy Missed, OverlapPolicy Overlap,
        IReadOnlyDictionary<string, JsonElement> Parameters, DateTimeOffset Created, DateTimeOffset? PausedAt, string? PauseReason,
        IReadOnlyList<DateTimeOffset> Next, FireView? Last);
}
