using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Pipelines.Engine;
using Pipelines.Storage.Artifacts;

namespace Pipelines.Web.Api;

/// <summary>Artifacts for people: what is in one, where it comes from, and all of it as one file.</summary>
internal static class ArtifactViewsApi
{
    private const int MostStages = 300;

    /// <summary>The archive of an artifact has the same bytes whenever it is asked for.</summary>
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var artifact = routes.MapGroup("/api/artifacts/{hash}");
        artifact.MapGet("/info", InfoAsync);
        artifact.MapGet("/lineage", LineageAsync);
        artifact.MapGet("/archive", ArchiveAsync);
    }

    private static async Task<Results<Ok<ArtifactInfo>, ProblemHttpResult>> InfoAsync(
        string hash, ArtifactDirectory artifacts, PipelinesEngine engine, CancellationToken cancellation)
    {
        if (ArtifactsApi.Absent(hash, artifacts) is { } problem)
            return problem;
        var manifest = await ManifestAsync(artifacts.FolderOf(hash), cancellation);
        return TypedResults.Ok(new ArtifactInfo(
            hash, manifest.Size(), manifest.Files, await new ArtifactLineage(engine.Database).MakersAsync(hash, cancellation)));
    }

    /// <summary>Also of an artifact that was collected: what is known of it stays known.</summary>
    private static async Task<Results<Ok<LineageView>, ProblemHttpResult>> LineageAsync(
        string hash, ArtifactDirectory artifacts, PipelinesEngine engine, CancellationToken cancellation)
    {
        if (!Manifest.IsHash(hash))
            return ArtifactsApi.Absent(hash, artifacts)!;
        var lineage = await new ArtifactLineage(engine.Database).OfAsync(hash, MostStages, cancellation);
        if (lineage.Stages.Count == 0 && ArtifactsApi.Absent(hash, artifacts) is { } problem)
            return problem;
        return TypedResults.Ok(new LineageView(
            [.. lineage.Artifacts.Select(one => new LineageArtifact(one, artifacts.Has(one)))], lineage.Stages, lineage.Edges, lineage.Truncated));
    }

    private static async Task<Results<EmptyHttpResult, ProblemHttpResult>> ArchiveAsync(
        string hash, HttpContext context, ArtifactDirectory artifacts)
    {
        if (ArtifactsApi.Absent(hash, artifacts) is { } problem)
            return problem;
        var cancellation = context.RequestAborted;
        var folder = await artifacts.OpenAsync(hash, cancellation);
        var manifest = await ManifestAsync(folder, cancellation);
        context.Response.ContentType = "application/zip";
        context.Response.Headers.ContentDisposition =
            new ContentDispositionHeaderValue("attachment") { FileName = $"{hash["sha256:".Length..][..12]}.zip" }.ToString();
        // After each file the library writes its few bytes of length and checksum without waiting.
        context.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
        await using var zip = await ZipArchive.CreateAsync(
            context.Response.Body, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, cancellation);
        foreach (var file in manifest.Files)
        {
            // Weights do not get smaller.
            var entry = zip.CreateEntry(file.Name, CompressionLevel.NoCompression);
            entry.LastWriteTime = NoTime;
            await using var from = File.OpenRead(Path.Combine(folder, file.Name));
            await using var to = await entry.OpenAsync(cancellation);
            await from.CopyToAsync(to, cancellation);
        }

        return TypedResults.Empty;
    }

    private static async Task<Manifest> ManifestAsync(string folder, CancellationToken cancellation) =>
        Manifest.Read(await File.ReadAllBytesAsync(Path.Combine(folder, Manifest.FileName), cancellation));

    /// <param name="Size">Bytes of all files.</param>
    /// <param name="MadeBy">The newest first.</param>
    private sealed record ArtifactInfo(string Hash, long Size, IReadOnlyList<ManifestFile> Files, IReadOnlyList<ArtifactMaker> MadeBy);

    private sealed record LineageView(
        IReadOnlyList<LineageArtifact> Artifacts, IReadOnlyList<LineageStage> Stages, IReadOnlyList<LineageEdge> Edges, bool Truncated);

    /// <param name="Here">Whether it was not collected.</param>
    private sealed record LineageArtifact(string Hash, bool Here);
}
