using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Pipelines.Storage;

namespace Pipelines.Web.Api;

/// <summary>Who asks; and for browsers a cookie that shows their token, so that no script ever holds it.</summary>
internal static class SessionApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var session = routes.MapGroup("/api/session");
        session.MapGet("", Show);
        session.MapPost("", BeginAsync).RequireRateLimiting(RateLimits.Login);
        session.MapDelete("", End);
    }

    private static Ok<SessionView> Show(HttpContext context) => TypedResults.Ok(SessionView.Of(Caller.Of(context)!));

    private static async Task<Results<Ok<SessionView>, ProblemHttpResult>> BeginAsync(
        Body<Login> body, HttpContext context, Security security, CancellationToken cancellation)
    {
        var given = body.Value;
        if (await security.CallerAsync(given.Token, cancellation) is not { } caller)
        {
            context.Features.Set<Caller>(null);
            return TypedResults.Problem("this is no token of this server, or it has expired or was revoked", statusCode: StatusCodes.Status401Unauthorized);
        }

        context.Features.Set(caller);
        context.Response.Cookies.Append(Security.Cookie, given.Token, Options(context.Request));
        return TypedResults.Ok(SessionView.Of(caller));
    }

    private static NoContent End(HttpContext context)
    {
        context.Response.Cookies.Delete(Security.Cookie, Options(context.Request));
        return TypedResults.NoContent();
    }

    private static CookieOptions Options(HttpRequest request) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = request.IsHttps,
        Path = "/",
    };

    internal sealed record Login(string Token);

    internal sealed record SessionView(string? Name, Role Role, bool Local)
    {
        public static SessionView Of(Caller caller) => new(caller.Name, caller.Role, caller.Local);
    }
}
