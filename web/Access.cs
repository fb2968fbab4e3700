using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipelines.Storage;

namespace Pipelines.Web;

/// <summary>Which role each request needs: the one place that says so. What is not here is for admins.</summary>
internal static partial class Access
{
    private const Role Viewer = Role.Viewer;
    private const Role Operator = Role.Operator;
    private const Role Admin = Role.Admin;

    // Null is for everyone. Looking needs a viewer unless this says otherwise; pages and health, which say nothing, are for everyone.
    private static readonly Dictionary<string, Role?> Rules = new()
    {
        ["POST /api/session"] = null,
        ["DELETE /api/session"] = null,
        ["GET /api/tokens"] = Admin,
        ["POST /api/tokens"] = Admin,
        ["DELETE /api/tokens/{}"] = Admin,
        ["GET /api/audit"] = Admin,

        ["POST /api/validate"] = Viewer,
        ["POST /api/elsa/import"] = Viewer,
        ["POST /api/elsa/export"] = Viewer,
        ["POST /api/runs"] = Operator,
        ["POST /api/runs/preview"] = Viewer,
        ["POST /api/runs/{}/cancel"] = Operator,
        ["POST /api/runs/{}/reset"] = Operator,
        ["PUT /api/definitions/{}"] = Operator,
        ["DELETE /api/definitions/{}"] = Admin,
        ["POST /api/definitions/{}/publish"] = Operator,
        ["POST /api/artifacts/uploads"] = Operator,
        ["PUT /api/artifacts/uploads/{}/files/{}"] = Operator,
        ["POST /api/artifacts/uploads/{}/commit"] = Operator,
        ["DELETE /api/artifacts/uploads/{}"] = Operator,
        ["DELETE /api/artifacts/{}"] = Operator,

        ["POST /api/schedules/preview"] = Viewer,
        ["POST /api/schedules"] = Admin,
        ["PUT /api/schedules/{}"] = Admin,
        ["DELETE /api/schedules/{}"] = Admin,
        ["POST /api/schedules/{}/pause"] = Admin,
        ["POST /api/schedules/{}/resume"] = Admin,
        ["POST /api/schedules/{}/trigger"] = Admin,
        ["POST /api/workers/{}/drain"] = Admin,
    };

    /// <returns>The role that is needed, null for none.</returns>
    public static Role? Needed(HttpContext context) => context.GetEndpoint() is RouteEndpoint endpoint
        ? TryFind(context.Request.Method, Route(endpoint), out var least) ? least : Admin
        // Nothing answers there, or a file does.
        : context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase) ? Viewer : null;

    /// <summary>Whether it changes anything: what only looks never needs more than a viewer, whatever its method.</summary>
    public static bool Changes(HttpContext context) => !IsReading(context.Request.Method) && Needed(context) != Viewer;

    /// <param name="route">As <see cref="Route"/> writes it.</param>
    public static bool TryFind(string method, string route, out Role? least)
    {
        var reading = IsReading(method);
        if (Rules.TryGetValue($"{(reading ? HttpMethods.Get : method)} {route}", out least))
            return true;
        least = route.StartsWith("/api", StringComparison.Ordinal) || route == "/metrics" ? Viewer : null;
        return reading;
    }

    /// <summary>As <c>/api/runs/{}/cancel</c>, whatever its parameters are called.</summary>
    public static string Route(RouteEndpoint endpoint) =>
        "/" + Parameter().Replace(endpoint.RoutePattern.RawText ?? "", "{}").Trim('/');

    public static bool IsReading(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}

/// <summary>Who asks.</summary>
/// <param name="Name">The token's; null for who needed none.</param>
/// <param name="Local">Whether it is somebody on this machine who needed no token.</param>
internal sealed record Caller(string? Name, Role Role, bool Local = false)
{
    /// <returns>Null when nobody was recognised.</returns>
    public static Caller? Of(HttpContext context) => context.Features.Get<Caller>();
}
