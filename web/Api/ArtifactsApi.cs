using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Pipelines.Storage.Artifacts;

namespace Pipelines.Web.Api;

/// <summary>Artifacts by hash: their list of files, and each file in whole or in part. Damaged ones are refused.</summary>
internal static class ArtifactsApi
{
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var artifact = routes.MapGroup("/api/artifacts/{hash}");
        artifact.MapMethods("", Read, ListAsync);
        artifact.MapMethods("/files/{**name}", Read, FileAsync);
        artifact.MapDelete("", Remove);
    }

    private static async Task<Results<FileContentHttpResult, ProblemHttpResult>> ListAsync(
        string hash, ArtifactDirectory artifacts, CancellationToken cancellation)
    {
        if (Absent(hash, artifacts) is { } problem)
            return problem;
        artifacts.Touch(hash);
        var list = Path.Combine(await artifacts.OpenAsync(hash, cancellation), Manifest.FileName);
        return TypedResults.File(
            await File.ReadAllBytesAsync(list, cancellation), "application/json", entityTag: new EntityTagHeaderValue($"\"{hash}\""));
    }

    private static async Task<Results<PhysicalFileHttpResult, ProblemHttpResult>> FileAsync(
        string hash, string name, ArtifactDirectory artifacts, CancellationToken cancellation)
    {
        if (Absent(hash, artifacts) is { } problem)
            return problem;
        var folder = await artifacts.OpenAsync(hash, cancellation);
        var manifest = Manifest.Read(await File.ReadAllBytesAsync(Path.Combine(folder, Manifest.FileName), cancellation));
        // Only what is on the list has a path; what was asked for never becomes one.
        return manifest.Files.FirstOrDefault(file => file.Name == name) is { } found
            ? TypedResults.PhysicalFile(
                Path.Combine(folder, found.Name), "application/octet-stream", fileDownloadName: Path.GetFileName(found.Name),
                entityTag: new EntityTagHeaderValue($"\"{found.Sha256}\""), enableRangeProcessing: true)
            : TypedResults.Problem($"artifact {hash} has no file '{name}'", statusCode: StatusCodes.Status404NotFound);
    }

    private static Results<NoContent, ProblemHttpResult> Remove(string hash, ArtifactDirectory artifacts)
    {
        if (Absent(hash, artifacts) is { } problem)
            return problem;
        artifacts.Remove(hash);
        return TypedResults.NoContent();
    }

    public static ProblemHttpResult? Absent(string hash, ArtifactDirectory artifacts)
    {
        if (!Manifest.IsHash(hash))
        {
            return TypedResults.Problem(
                $"'{hash}' names no artifact: expected sha256: and 64 hexadecimal digits", statusCode: StatusCodes.Status400BadRequest);
        }

        return artifacts.Has(hash) ? null : TypedResults.Problem($"artifact {hash} is not here", statusCode: StatusCodes.Status404NotFound);
    }
}
