using Microsoft.Extensions.Logging;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>
/// Artifacts that live at a server. What is opened is fetched once and kept in a cache; what is made here is at the
/// server before it has its name, so that no result names what others cannot reach.
/// </summary>
internal sealed partial class RemoteArtifacts : ArtifactStore, IDisposable
{
    private readonly ArtifactServer server;
    private readonly ArtifactClient client;
    private readonly ArtifactCache cache;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    public RemoteArtifacts(ArtifactServer server, string dataFolder, ProcessFolder work, TimeProvider time, ILogger<RemoteArtifacts> logger)
    {
        (this.server, this.time, this.logger) = (server, time, logger);
        client = new ArtifactClient(server, time, logger);
        cache = new ArtifactCache(dataFolder, work, server.CacheSize, time, logger);
    }

    public override ArtifactDraft Begin() => new DirectoryDraft(cache.NewFolder(), CommitAsync);

    public override async Task<string> OpenAsync(string hash, CancellationToken cancellation)
    {
        var (folder, hold) = await HoldAsync(hash, cancellation);
        hold?.Dispose();
        return folder;
    }

    public override async Task<HeldArtifact> HoldAsync(string hash, CancellationToken cancellation)
    {
        if (await cache.TryHoldAsync(hash, cancellation) is { } held)
            return held;
        using var turn = await cache.TurnAsync(hash, cancellation);
        if (await cache.TryHoldAsync(hash, cancellation) is { } fetched)
            return fetched;
        var manifest = await client.ManifestAsync(hash, cancellation);
        var folder = await cache.ReserveAsync(hash, manifest, cancellation);
        try
        {
            var transfer = new Transfer(hash, $"from {server}", manifest.Size(), time, logger);
            foreach (var file in manifest.Files)
                await client.DownloadAsync(hash, file, Path.Combine(folder, file.Name), transfer, cancellation);
            return await cache.KeepAsync(hash, manifest, cancellation);
        }
        catch (IOException error) when (Disk.IsFull(error))
        {
            var full = Disk.Full(folder, error);
            cache.Abandon(hash);
            throw full;
        }
    }

    public override Task<bool> IsWholeAsync(string hash, CancellationToken cancellation) =>
        client.IsWholeAsync(hash, cancellation);

    public override async Task RemoveAsync(string hash, CancellationToken cancellation)
    {
        cache.Remove(hash);
        try
        {
            await client.RemoveAsync(hash, cancellation);
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException { InnerException: TimeoutException })
        {
            LogUnremoved(hash, error.Message);
        }
    }

    public void Dispose() => client.Dispose();

    private async Task<string> CommitAsync(string draft, CancellationToken cancellation)
    {
        var manifest = await ArtifactDirectory.SealAsync(draft, cancellation);
        var hash = Manifest.Hash(manifest.Write());
        var transfer = new Transfer(hash, $"to {server}", manifest.Size(), time, logger);
        await client.UploadAsync(hash, manifest, draft, transfer, cancellation);
        await cache.KeepDraftAsync(draft, manifest, cancellation);
        return hash;
    }

    [LoggerMessage(LogLevel.Warning, "Artifact {Hash} stays at the server until its garbage is collected: {Reason}")]
    private partial void LogUnremoved(string hash, string reason);
}
