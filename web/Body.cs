using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Pipelines.Workflows;

namespace Pipelines.Web;

/// <summary>
/// The JSON of a request, read as strictly as a workflow's file. Nothing but JSON is taken: a page from elsewhere could send a
/// form without asking. A parameter with a default value is null when nothing was sent.
/// </summary>
internal sealed record Body<T>(T Value) : IBindableFromHttpContext<Body<T>>, IEndpointParameterMetadataProvider
    where T : class
{
    public static async ValueTask<Body<T>?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var request = context.Request;
        if (parameter.HasDefaultValue && request is { ContentLength: null or 0, ContentType: null })
            return null;
        if (!request.HasJsonContentType())
            throw new RefusedException(StatusCodes.Status415UnsupportedMediaType, Problems.WrongMediaType);
        using var reader = new StreamReader(request.Body, Encoding.UTF8);
        var text = await reader.ReadToEndAsync(context.RequestAborted);
        // Postgres stores none.
        if (text.Contains("\\u0000", StringComparison.Ordinal))
            throw new RefusedException(StatusCodes.Status400BadRequest, "the body has a text with a zero character");
        try
        {
            return new Body<T>(JsonSerializer.Deserialize<T>(text, Json.Options)
                ?? throw new RefusedException(StatusCodes.Status400BadRequest, "the body is null: expected an object"));
        }
        catch (JsonException error)
        {
            throw new RefusedException(StatusCodes.Status400BadRequest, $"the body: {WorkflowFile.Explain(error)}");
        }
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata(["application/json"], typeof(T), parameter.HasDefaultValue));
}
