using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.Extensions.Logging;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>Speaks with the artifact endpoint of a server; what breaks is tried again from where it broke.</summary>
internal sealed class ArtifactClient(ArtifactServer server, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>How much of a file a server has.</summary>
    public const string OffsetHeader = "Upload-Offset";

    /// <summary>Large enough that a request costs nothing beside it, small enough to lie in memory.</summary>
    private const int Slice = 8 << 20;

    /// <summary>A server that forgets uploads this often is not merely restarted.</summary>
    private const int MostUploads = 20;

    private readonly ServerConnection connection = new(server, time, logger);

    /// <exception cref="ArtifactException">The server does not have it, cannot be reached, or sends another one.</exception>
    public async Task<Manifest> ManifestAsync(string hash, CancellationToken cancellation)
    {
        using var response = await connection.AskAsync(() => new HttpRequestMessage(HttpMethod.Get, Path(hash)), cancellation);
        if (response.StatusCode == HttpStatusCode.NotFound)
            throw new ArtifactException($"artifact {hash} is not at {server}");
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellation);
        if (Manifest.Hash(bytes) is var found && found != hash)
            throw new ArtifactException($"{server} answers with another artifact: expected {hash}, found {found}");
        return Manifest.ReadForeign(bytes);
    }

    public async Task<bool> IsWholeAsync(string hash, CancellationToken cancellation)
    {
        using var response = await connection.AskAsync(() => new HttpRequestMessage(HttpMethod.Head, Path(hash)), cancellation);
        return response.StatusCode == HttpStatusCode.OK;
    }

    /// <exception cref="HttpRequestException">It cannot be reached, or refuses: it is not tried again.</exception>
    public async Task RemoveAsync(string hash, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, Path(hash));
        using var response = await connection.SendAsync(request, cancellation);
    }

    /// <summary>Completes the file at this path; what is there of it already is checked with the rest.</summary>
    public async Task DownloadAsync(string hash, ManifestFile file, string path, Transfer transfer, CancellationToken cancellation)
    {
        var before = transfer.Done;
        for (var again = false; ; again = true)
        {
            using (var download = await FileDownload.OpenAsync(path, file.Size, cancellation))
            {
                try
                {
                    await connection.PatientlyAsync(
                        () => download.FetchAsync(connection, FilePath(hash, file.Name), file, done => transfer.Reach(before + done), cancellation),
                        () => transfer.Done, cancellation);
                }
                catch (HttpRequestException error)
                {
                    throw new ArtifactException($"artifact {hash}: {file.Name} is no longer at {server}", error);
                }

                var found = download.Finish();
                if (found == file.Sha256)
                    return;
                if (again)
                    throw new ArtifactException($"artifact {hash} arrives damaged from {server}: {file.Name}: expected sha256 {file.Sha256}, found sha256 {found}");
            }

            File.Delete(path);
        }
    }

    /// <summary>Returns when the server has all of it, checked and under its name.</summary>
    public async Task UploadAsync(string hash, Manifest manifest, string folder, Transfer transfer, CancellationToken cancellation)
    {
        for (var uploads = 1; ; uploads++)
        {
            if (await BeginAsync(manifest, cancellation) is not { } upload)
                return;
            try
            {
                await SendAsync(upload, manifest, folder, transfer, cancellation);
                using var response = await connection.AskAsync(() => new HttpRequestMessage(HttpMethod.Post, $"{upload}/commit"), cancellation);
                ServerConnection.CheckFound(response);
                if (await response.Content.ReadFromJsonAsync<UploadCommitted>(Json.Options, cancellation) is not { } stored || stored.Hash != hash)
                    throw new ArtifactException($"{server} stored something else than {hash}");
                return;
            }
            catch (HttpRequestException error) when (error.StatusCode == HttpStatusCode.NotFound && uploads < MostUploads)
            {
                transfer.Reach(0); // the server was restarted meanwhile, and knows nothing of it
            }
        }
    }

    public void Dispose() => connection.Dispose();

    /// <returns>The upload's address; null when the server has the artifact.</returns>
    private async Task<string?> BeginAsync(Manifest manifest, CancellationToken cancellation)
    {
        using var response = await connection.AskAsync(
            () => new HttpRequestMessage(HttpMethod.Post, "api/artifacts/uploads")
            {
                Content = new ByteArrayContent(manifest.Write()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            },
            cancellation);
        ServerConnection.CheckFound(response);
        var begun = await response.Content.ReadFromJsonAsync<UploadBegun>(Json.Options, cancellation);
        return begun?.Id is { } id ? $"api/artifacts/uploads/{id:N}" : null;
    }

    private async Task SendAsync(string upload, Manifest manifest, string folder, Transfer transfer, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Slice);
        try
        {
            foreach (var file in manifest.Files)
            {
                var before = transfer.Done;
                using var content = File.OpenHandle(System.IO.Path.Combine(folder, file.Name), options: FileOptions.SequentialScan);
                long? offset = 0;
                await connection.PatientlyAsync(
                    async () =>
                    {
                        // After a break, only the server knows what arrived.
                        var sent = offset ?? await OffsetAsync(upload, file, cancellation);
                        offset = null;
                        transfer.Reach(before + sent);
                        while (sent < file.Size)
                        {
                            var count = await RandomAccess.ReadAsync(content, buffer.AsMemory(0, Slice), sent, cancellation);
                            await PutAsync(upload, file, sent, buffer.AsMemory(0, count), cancellation);
                            sent += count;
                            transfer.Reach(before + sent);
                        }
                    },
                    () => transfer.Done, cancellation);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task PutAsync(string upload, ManifestFile file, long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{upload}/files/{Escape(file.Name)}") { Content = new ReadOnlyMemoryContent(bytes) };
        request.Content.Headers.ContentRange = new ContentRangeHeaderValue(offset, offset + bytes.Length - 1, file.Size);
        using var response = await connection.SendAsync(request, cancellation);
        ServerConnection.CheckFound(response);
    }

    private async Task<long> OffsetAsync(string upload, ManifestFile file, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, $"{upload}/files/{Escape(file.Name)}");
        using var response = await connection.SendAsync(request, cancellation);
        ServerConnection.CheckFound(response);
        return response.Headers.TryGetValues(OffsetHeader, out var values) && long.TryParse(values.Single(), out var offset) && offset >= 0 && offset <= file.Size
            ? offset
            : throw new ArtifactException($"{server} does not say how much of {file.Name} it has: expected the header {OffsetHeader}");
    }

    private static string Path(string hash) => Manifest.IsHash(hash)
        ? $"api/artifacts/{hash}"
        : throw new ArtifactException($"'{hash}' names no artifact: expected sha256: and 64 hexadecimal digits");

    private static string FilePath(string hash, string name) => $"{Path(hash)}/files/{Escape(name)}";

    private static string Escape(string name) => string.Join('/', name.Split('/').Select(Uri.EscapeDataString));
}

/// <param name="Id">Of the upload; null when the artifact is there already.</param>
internal sealed record UploadBegun(string Hash, Guid? Id);

internal sealed record UploadCommitted(string Hash);
