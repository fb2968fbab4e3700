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
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested)
            return true;
        var (status, detail) = exception switch
        {
            UploadException upload => (StatusOf(upload.Fault), upload.Message),
            ArtifactException => (StatusCodes.Status500InternalServerError, exception.Message),
            BadHttpRequestException request => (request.StatusCode, request.Message),
            DefinitionException definition => (StatusOf(definition.Fault), definition.Message),
            ScheduleException schedule => (StatusOf(schedule.Fault), schedule.Message),
            TokenException token => (StatusOf(token.Fault), token.Message),
            EngineException { InnerException: WorkerLookupException } worker => (StatusCodes.Status404NotFound, worker.Message),
            EngineException => (StatusCodes.Status422UnprocessableEntity, exception.Message),
            _ => (StatusCodes.Status500InternalServerError, "the server failed; its log says where"),
        };
        if (status == StatusCodes.Status500InternalServerError)
            LogFailed(httpContext.Request.Method, httpContext.Request.Path, exception);
        await TypedResults.Problem(detail, statusCode: status, extensions: Extensions(exception)).ExecuteAsync(httpContext);
        return true;
    }

    /// <summary>What a program can act on beside the sentence.</summary>
    private static Dictionary<string, object?> Extensions(Exception exception) => exception switch
    {
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
