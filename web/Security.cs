using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Pipelines.Web;

/// <summary>Who may ask.</summary>
/// <param name="token">Null on loopback, where whoever is on this machine may.</param>
internal sealed class Security(string? token)
{
    private const string Scheme = "Bearer ";

    // Hashes have one length, so comparing them tells nothing of the token's.
    private readonly byte[]? expected = token is null ? null : Hash(token);

    public Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path == "/health")
            return next(context);
        if (expected is null)
            return IsLocal(context.Request.Host) ? next(context) : RefuseAsync(context, StatusCodes.Status421MisdirectedRequest,
                "without a token this server answers only to localhost; start it with --token-file to use another name");
        if (CryptographicOperations.FixedTimeEquals(expected, Hash(Shown(context.Request))))
            return next(context);
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return RefuseAsync(context, StatusCodes.Status401Unauthorized, "the token is missing or is not the server's: expected Authorization: Bearer and the token");
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

    private static Task RefuseAsync(HttpContext context, int status, string detail) =>
        TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);

    /// <summary>A page from elsewhere whose name was made to lead here carries that name.</summary>
    private static bool IsLocal(HostString host) =>
        host.Host == "localhost" || (IPAddress.TryParse(host.Host, out var address) && IPAddress.IsLoopback(address));

    private static string Shown(HttpRequest request)
    {
        var value = request.Headers[HeaderNames.Authorization].ToString();
        return value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? value[Scheme.Length..].Trim() : "";
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
