using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Pipelines.Storage;

namespace Pipelines.Web;

/// <summary>Writes down who changes what, before they are told how it went. The pieces of an upload are not: its commit is.</summary>
internal sealed partial class Auditing(AuditLog audit, ILogger<Auditing> logger)
{
    private const string Piece = "/api/artifacts/uploads/{}/files/{}";

    public Task NoteAsync(HttpContext context, RequestDelegate next)
    {
        // An error takes the endpoint away.
        if (context.GetEndpoint() is RouteEndpoint endpoint && Access.Changes(context) && Access.Route(endpoint) is var route && route != Piece)
            context.Response.OnStarting(() => WriteAsync(context, $"{context.Request.Method} {route}"));
        return next(context);
    }

    private async Task WriteAsync(HttpContext context, string action)
    {
        // Who is nobody did nothing.
        if (Caller.Of(context) is not { } caller)
            return;
        var target = context.Request.Path.ToUriComponent();
        try
        {
            await audit.WriteAsync(caller.Name, action, target, context.Response.StatusCode, CancellationToken.None);
        }
        catch (Exception error)
        {
            // It is done already, and whoever asked must hear of it.
            LogLost(caller.Name, action, target, context.Response.StatusCode, error);
        }
    }

    [LoggerMessage(LogLevel.Error, "Not in the audit log: {Who} {Action} {Target} {Status}")]
    private partial void LogLost(string? who, string action, string target, int status, Exception error);
}
