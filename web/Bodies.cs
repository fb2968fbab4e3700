using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Pipelines.Workflows;

namespace Pipelines.Web;

/// <summary>Bodies in the one dialect of JSON, with faults said to who wrote them.</summary>
internal static class Body
{
    /// <exception cref="BadHttpRequestException">It is no JSON, or not what was expected.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request)
    {
        if (!request.HasJsonContentType())
            throw new BadHttpRequestException("expected a body of application/json", StatusCodes.Status415UnsupportedMediaType);
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(request.Body, Json.Options, request.HttpContext.RequestAborted)
                ?? throw new BadHttpRequestException("the body is null: expected an object");
        }
        catch (JsonException error)
        {
            throw new BadHttpRequestException($"the body: {WorkflowFile.Explain(error)}", error);
        }
    }

    /// <returns>An empty one when there is no body.</returns>
    /// <inheritdoc cref="ReadAsync"/>
    public static async Task<T> ReadOrEmptyAsync<T>(HttpRequest request)
        where T : new() =>
        request.ContentLength is null or 0 && request.ContentType is null ? new T() : await ReadAsync<T>(request);

    public static JsonHttpResult<T> Answer<T>(T value, int? status = null) => TypedResults.Json(value, Json.Options, statusCode: status);
}
