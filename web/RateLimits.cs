using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;

namespace Pipelines.Web;

/// <summary>How much one token, or one address without a token, may ask.</summary>
/// <param name="PerSecond">Requests, in the long run.</param>
/// <param name="Burst">Requests at once.</param>
/// <param name="LoginsPerMinute">Of one address.</param>
public sealed record RequestLimits(int PerSecond = 50, int Burst = 200, int LoginsPerMinute = 5);

internal static class RateLimits
{
    public const string Login = "login";

    public static void Configure(RateLimiterOptions limiter, RequestLimits limits)
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => IsUnlimited(context)
            ? RateLimitPartition.GetNoLimiter("")
            : RateLimitPartition.GetTokenBucketLimiter(Caller.Of(context)?.Name ?? Address(context), _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = limits.Burst,
                TokensPerPeriod = limits.PerSecond,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            }));
        limiter.AddPolicy(Login, context => RateLimitPartition.GetFixedWindowLimiter(Address(context), _ => new FixedWindowRateLimiterOptions
        {
            PermitLimit = limits.LoginsPerMinute,
            Window = TimeSpan.FromMinutes(1),
        }));
        limiter.OnRejected = async (rejected, _) =>
        {
            var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? Math.Max(1, Math.Ceiling(after.TotalSeconds)) : 1;
            rejected.HttpContext.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
            await Security.RefuseAsync(
                rejected.HttpContext, StatusCodes.Status429TooManyRequests, $"too many requests: try again in {wait} s");
        };
    }

    // A worker fetches an artifact of thousands of files as fast as it can.
    private static bool IsUnlimited(HttpContext context) => context.Request.Path == "/health"
        || (Caller.Of(context) is not null && context.Request.Path.StartsWithSegments("/api/artifacts", StringComparison.OrdinalIgnoreCase));

    private static string Address(HttpContext context) => $"{context.Connection.RemoteIpAddress}";
}
