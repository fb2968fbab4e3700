using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Pipelines.Storage.Artifacts;

namespace Pipelines.Web.Api;

/// <summary>
/// Artifacts that were made elsewhere: begin with the list of files, send each in pieces (HEAD says where to go on),
/// commit.
/// </summary>
internal static class UploadsApi
{
    private const int LargestList = 32 << 20;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var uploads = routes.MapGroup("/api/artifacts/uploads");
        uploads.MapPost("", BeginAsync).WithMetadata(new RequestSizeLimitAttribute(LargestList));
        uploads.MapMethods("/{id:guid}/files/{**name}", [HttpMethods.Head], Offset);
        uploads.MapPut("/{id:guid}/files/{**name}", AppendAsync).WithMetadata(new DisableRequestSizeLimitAttribute());
        uploads.MapPost("/{id:guid}/commit", CommitAsync);
        uploads.MapDelete("/{id:guid}", Discard);
    }

    private static async Task<Results<Created<UploadBegun>, Ok<UploadBegun>, ProblemHttpResult>> BeginAsync(
        HttpRequest request, ArtifactUploads uploads, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
            return TypedResults.Problem("expected the list of files as application/json", statusCode: StatusCodes.Status415UnsupportedMediaType);
        using var list = new MemoryStream();
        await request.Body.CopyToAsync(list, cancellation);
        var (hash, id) = await uploads.BeginAsync(list.ToArray(), cancellation);
        return id is null
            ? TypedResults.Ok(new UploadBegun(hash, null))
            : TypedResults.Created($"/api/artifacts/uploads/{id:N}", new UploadBegun(hash, id));
    }

    private static Ok Offset(Guid id, string name, HttpResponse response, ArtifactUploads uploads)
    {
        response.Headers[ArtifactClient.OffsetHeader] = $"{uploads.Offset(id, name)}";
        return TypedResults.Ok();
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> AppendAsync(
        Guid id, string name, HttpContext context, ArtifactUploads uploads, CancellationToken cancellation)
    {
        if (context.Request.ContentLength is not { } length)
            return TypedResults.Problem("expected a Content-Length", statusCode: StatusCodes.Status411LengthRequired);
        var (offset, total) = (0L, length);
        if (context.Request.Headers.ContentRange is [var given])
        {
            if (!ContentRangeHeaderValue.TryParse(given, out var range) || range is not { Unit: "bytes", HasRange: true, HasLength: true }
                || range.To - range.From + 1 != length)
            {
                return TypedResults.Problem(
                    $"Content-Range: {given}: expected bytes FIRST-LAST/TOTAL for the {length} bytes that are sent", statusCode: StatusCodes.Status400BadRequest);
            }

            (offset, total) = (range.From!.Value, range.Length!.Value);
        }

        var reached = await uploads.AppendAsync(id, name, offset, length, total, context.Request.Body, cancellation);
        context.Response.Headers[ArtifactClient.OffsetHeader] = $"{reached}";
        return TypedResults.NoContent();
    }

    private static async Task<Ok<UploadCommitted>> CommitAsync(Guid id, ArtifactUploads uploads, CancellationToken cancellation) =>
        TypedResults.Ok(new UploadCommitted(await uploads.CommitAsync(id, cancellation)));

    private static NoContent Discard(Guid id, ArtifactUploads uploads)
    {
        uploads.Discard(id);
        return TypedResults.NoContent();
    }
}
