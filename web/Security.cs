using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Web;

/// <summary>Who asks, and whether they may. On loopback, whoever is on this machine may everything unless tokens are wanted.</summary>
internal sealed class Security(ServerOptions options, TokenStore tokens)
{
    public const string Cookie = "pipelines-token";

    private const string Scheme = "Bearer ";
    private const string Shared = "(token file)";
    private const string AskedWith = "X-Requested-With";
    private const string Page = "pipelines";

    private readonly bool open = options.Token is null && !options.RequireToken;

    // Hashes have one length, so comparing them tells nothing of the token's.
    private readonly byte[]? expected = options.Token is null ? null : Hash(options.Token);

    public async Task IdentifyAsync(HttpContext context, RequestDelegate next)
    {
        var shown = Shown(context.Request);
        var caller = shown.Token.Length == 0 ? null : await CallerAsync(shown.Token, context.RequestAborted);
        if (caller is null && open && IsLocal(context.Request.Host))
            caller = new Caller(null, Role.Admin, Local: true);
        context.Features.Set(caller);
        await next(context);
    }

    public Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var (least, caller) = (Access.Needed(context), Caller.Of(context));
        if (least is not null && caller is null)
        {
            if (open)
            {
                return RefuseAsync(context, StatusCodes.Status421MisdirectedRequest,
                    "without a token this server answers only to localhost; start it with --token-file or --require-token to use another name");
            }

            context.Response.Headers.WWWAuthenticate = "Bearer";
            return RefuseAsync(context, StatusCodes.Status401Unauthorized,
                "the token is missing or is not the server's, or it has expired or was revoked: expected Authorization: Bearer and the token");
        }

        if (MayBeForeign(context.Request))
        {
            var page = context.Request.Headers.Origin is [var origin] ? $"the page {origin} may not do this: " : "";
            return RefuseAsync(context, StatusCodes.Status403Forbidden,
                $"{page}a browser must say that our own page asks: expected {AskedWith}: {Page}");
        }

        return least is null || caller!.Role >= least
            ? next(context)
            : RefuseAsync(context, StatusCodes.Status403Forbidden,
                $"{context.Request.Method} {context.Request.Path} needs the role {Word(least.Value)}: the token '{caller.Name}' has {Word(caller.Role)}");
    }

    /// <returns>Null when nobody has this token.</returns>
    public async Task<Caller?> CallerAsync(string token, CancellationToken cancellation)
    {
        if (expected is not null && CryptographicOperations.FixedTimeEquals(expected, Hash(token)))
            return new Caller(Shared, Role.Operator);
        return await tokens.UseAsync(token, cancellation) is { } found ? new Caller(found.Name, found.Role) : null;
    }

    public static Task AddHeaders(HttpContext context, RequestDelegate next)
    {
        // At the last moment: an error takes away what was set before.
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            if (headers.ContentSecurityPolicy.Count == 0)
                headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
            headers["Referrer-Policy"] = "no-referrer";
            return Task.CompletedTask;
        });
        return next(context);
    }

    public static string Word(Role role) => Json.Write(role).GetString()!;

    public static Task RefuseAsync(HttpContext context, int status, string detail) =>
        TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);

    /// <summary>
    /// What a browser sends by itself (the cookie, where the page is from) proves nothing: the page of another site can make
    /// it ask, but not with our header.
    /// </summary>
    private static bool MayBeForeign(HttpRequest request) =>
        !Access.IsReading(request.Method) && (request.Headers.Origin.Count > 0 || Shown(request).ByCookie) && request.Headers[AskedWith] != Page;

    /// <summary>A page from elsewhere whose name was made to lead here carries that name.</summary>
    private static bool IsLocal(HostString host) =>
        host.Host == "localhost" || (IPAddress.TryParse(host.Host, out var address) && IPAddress.IsLoopback(address));

    private static (string Token, bool ByCookie) Shown(HttpRequest request)
    {
        var value = request.Headers[HeaderNames.Authorization].ToString();
        if (value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return (value[Scheme.Length..].Trim(), false);
        return request.Cookies.TryGetValue(Cookie, out var kept) ? (kept, true) : ("", false);
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
