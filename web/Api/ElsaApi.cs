using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Pipelines.Workflows;
using Pipelines.Workflows.Elsa;

namespace Pipelines.Web.Api;

/// <summary>Elsa's JSON as a workflow document, and back. Nothing is stored.</summary>
internal static class ElsaApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var elsa = routes.MapGroup("/api/elsa").WithMetadata(new RequestSizeLimitAttribute(WorkflowFile.Largest));
        elsa.MapPost("/import", ImportAsync);
        elsa.MapPost("/export", ExportAsync);
    }

    private static async Task<Results<Ok<ElsaImported>, ProblemHttpResult>> ImportAsync(
        HttpRequest request, CancellationToken cancellation)
    {
        try
        {
            return TypedResults.Ok(ElsaImport.Read(await BodyAsync(request, cancellation)));
        }
        catch (ElsaException error)
        {
            return Refused(error.Message);
        }
    }

    private static async Task<Results<ContentHttpResult, ProblemHttpResult>> ExportAsync(HttpRequest request, CancellationToken cancellation)
    {
        var body = await BodyAsync(request, cancellation);
        try
        {
            var definition = WorkflowFile.Parse(Encoding.UTF8.GetString(body), "the workflow");
            return TypedResults.Text(ElsaExport.Write(definition), "application/json");
        }
        catch (Exception error) when (error is ElsaException or WorkflowFileException)
        {
            return Refused(error.Message);
        }
    }

    private static ProblemHttpResult Refused(string message) => TypedResults.Problem(message, statusCode: StatusCodes.Status400BadRequest);

    private static async Task<byte[]> BodyAsync(HttpRequest request, CancellationToken cancellation)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellation);
        return body.ToArray();
    }
}
