using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
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
            _ => (StatusCodes.Status500InternalServerError, "the server failed; its log says where"),
        };
        if (status == StatusCodes.Status500InternalServerError)
            LogFailed(httpContext.Request.Method, httpContext.Request.Path, exception);
        await TypedResults.Problem(detail, statusCode: status).ExecuteAsync(httpContext);
        return true;
    }

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

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
    private partial void LogFailed(string method, string path, Exception error);
}
