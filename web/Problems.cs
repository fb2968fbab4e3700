using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Pipelines.Engine;
using Pipelines.Engine.Schedules;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Web;

/// <summary>Every error as problem details: those that the caller can act on with their reason, others without.</summary>
internal sealed partial class Problems(ILogger<Problems> logger) : IExceptionHandler
{
    public const string WrongMediaType = "expected a body of application/json";

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested)
            return true;
        var (status, detail) = exception switch
        {
            DefinitionException definition => (StatusOf(definition.Fault), definition.Message),
            ScheduleException schedule => (StatusOf(schedule.Fault), schedule.Message),
            TokenException token => (StatusOf(token.Fault), token.Message),
            RefusedException refused => (refused.Status, refused.Message),
            FaultyWorkflowException faulty => (StatusCodes.Status422UnprocessableEntity, faulty.Message),
            EngineException { InnerException: { } inner } engine => (StatusOf(inner), engine.Message),
            EngineException engine => (StatusCodes.Status422UnprocessableEntity, engine.Message),
            RunLookupException lookup => (StatusCodes.Status404NotFound, lookup.Message),
            UploadException upload => (StatusOf(upload.Fault), upload.Message),
            ArtifactException => (StatusCodes.Status500InternalServerError, exception.Message),
            BadHttpRequestException request => (request.StatusCode, Unbound().Replace(request.Message, "$1 is '$2': expected something else")),
            _ when PipelinesEngine.IsPassing(exception) => (StatusCodes.Status503ServiceUnavailable, "the database does not answer; try again"),
            _ => (StatusCodes.Status500InternalServerError, "the server failed; its log says where"),
        };
        if (status is StatusCodes.Status500InternalServerError or StatusCodes.Status503ServiceUnavailable)
            LogFailed(httpContext.Request.Method, httpContext.Request.Path, exception);
        await TypedResults.Problem(detail, statusCode: status, extensions: Extensions(exception)).ExecuteAsync(httpContext);
        return true;
    }

    /// <summary>Answers where nothing is, or nothing that goes this way, say what was asked for.</summary>
    public static void Customize(ProblemDetailsContext context) => context.ProblemDetails.Detail ??= context.ProblemDetails.Status switch
    {
        StatusCodes.Status404NotFound => $"there is nothing at {context.HttpContext.Request.Path}",
        StatusCodes.Status405MethodNotAllowed => $"{context.HttpContext.Request.Path} takes no {context.HttpContext.Request.Method}",
        StatusCodes.Status415UnsupportedMediaType => WrongMediaType,
        _ => null,
    };

    private static int StatusOf(Exception inner) => inner switch
    {
        RunLookupException or WorkerLookupException => StatusCodes.Status404NotFound,
        RunStateException => StatusCodes.Status409Conflict,
        DefinitionException definition => StatusOf(definition.Fault),
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    /// <summary>What a program can act on beside the sentence.</summary>
    private static Dictionary<string, object?> Extensions(Exception exception) => exception switch
    {
        FaultyWorkflowException { Faults: var faults } => new() { ["errors"] = faults },
        DefinitionException { Current: { } current } => new() { ["current"] = Json.Write(current) },
        DefinitionException { Errors: { Count: > 0 } errors } => new() { ["errors"] = Json.Write(errors) },
        CronException { Part: { } part } cron => new() { ["field"] = cron.Field, ["part"] = part },
        CronException cron => new() { ["field"] = cron.Field },
        _ => [],
    };

    private static int StatusOf(UploadFault fault) => fault switch
    {
        UploadFault.Unknown => StatusCodes.Status404NotFound,
        UploadFault.Invalid => StatusCodes.Status400BadRequest,
        UploadFault.OutOfPlace => StatusCodes.Status409Conflict,
        UploadFault.TooLarge => StatusCodes.Status413PayloadTooLarge,
        UploadFault.DiskFull => StatusCodes.Status507InsufficientStorage,
        UploadFault.TooMany => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    // The framework names the type as C# does.
    [GeneratedRegex("""^Failed to bind parameter "\S+ (\w+)" from "(.*)"\.$""")]
    private static partial Regex Unbound();
    private static int StatusOf(DefinitionFault fault) => fault switch
    {
        DefinitionFault.Unknown => StatusCodes.Status404NotFound,
        DefinitionFault.Changed or DefinitionFault.InUse => StatusCodes.Status409Conflict,
        DefinitionFault.TooLarge => StatusCodes.Status413PayloadTooLarge,
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    private static int StatusOf(ScheduleFault fault) => fault switch
    {
        ScheduleFault.Unknown => StatusCodes.Status404NotFound,
        ScheduleFault.Taken or ScheduleFault.NotPaused => StatusCodes.Status409Conflict,
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    private static int StatusOf(TokenFault fault) => fault switch
    {
        TokenFault.Unknown => StatusCodes.Status404NotFound,
        TokenFault.Taken => StatusCodes.Status409Conflict,
        _ => StatusCodes.Status422UnprocessableEntity,
    };

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
    private partial void LogFailed(string method, string path, Exception error);
}
