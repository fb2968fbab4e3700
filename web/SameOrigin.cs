using Microsoft.AspNetCore.Http;

namespace Pipelines.Web;

/// <summary>A page from elsewhere that a browser shows may not change anything here in its user's name.</summary>
internal static class SameOrigin
{
    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0 || HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
            || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority == request.Host.Value))
            return next(context);
        return TypedResults.Problem(
            $"the page {origin} may not do this: it was not loaded from {request.Host.Value}", statusCode: StatusCodes.Status403Forbidden)
            .ExecuteAsync(context);
    }
}
