using Microsoft.Extensions.Logging;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>
/// Copies of artifacts that live at a server, and downloads on their way, in <c>cache/</c> of the data folder. Above
/// the size, what was not used for longest goes, unless a stage of any process holds it: a hold is a lock on the
/// artifact's folder, and the kernel drops it with its process.
/// </summary>
internal sealed partial class ArtifactCache
{
    private readonly ArtifactDirectory artifacts;
    private readonly string downloads;
    private readonly string gate;
    private readonly long size;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    public ArtifactCache(string dataFolder, ProcessFolder work, long size, TimeProvider time, ILogger logger)
    {
        var root = Path.Combine(dataFolder, "cache");
        artifacts = new ArtifactDirectory(root, work);
        downloads = Path.Combine(root, "downloads");
        gate = Path.Combine(root, "evictions.lock");
        (this.size, this.time, this.logger) = (size, time, logger);
        Directory.CreateDirectory(downloads);
    }

    /// <summary>An empty folder for an artifact that is made here.</summary>
    public string NewFolder() => artifacts.NewFolder();

    /// <returns>Null when it is not here, or no longer whole.</returns>
    public async Task<HeldArtifact?> TryHoldAsync(string hash, CancellationToken cancellation)
    {
        FileLock? hold;
        using (await FileLock.SharedAsync(gate, time, cancellation))
        {
            if (!artifacts.Has(hash))
                return null;
            hold = FileLock.TrySharedFolder(artifacts.FolderOf(hash));
            artifacts.Touch(hash);
        }

        try
        {
            return new HeldArtifact(await artifacts.OpenAsync(hash, cancellation), hold);
        }
        catch (ArtifactException error)
        {
            LogDamaged(error.Message);
            hold?.Dispose();
            artifacts.Remove(hash);
            return null;
        }
        catch
        {
            hold?.Dispose();
            throw;
        }
    }

    /// <summary>Waits for whoever downloads the same artifact, in whatever process.</summary>
    public async Task<IDisposable> TurnAsync(string hash, CancellationToken cancellation)
    {
        while (true)
        {
            using (await FileLock.SharedAsync(gate, time, cancellation))
            {
                if (FileLock.TryExclusive(LockOf(DownloadOf(hash))) is { } turn)
                    return turn;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellation);
        }
    }

    /// <summary>Makes room for a download.</summary>
    /// <returns>The folder for its files; what an interrupted download left is in it.</returns>
    /// <exception cref="ArtifactException">It does not fit beside what is in use.</exception>
    public async Task<string> ReserveAsync(string hash, Manifest manifest, CancellationToken cancellation)
    {
        var place = DownloadOf(hash);
        using var alone = await FileLock.ExclusiveAsync(gate, time, cancellation);
        var (wanted, used) = (manifest.Size(), MakeRoom(manifest.Size(), except: place));
        if (used + wanted > size)
        {
            throw new ArtifactException(
                $"artifact {hash} has {wanted} bytes, but the cache may hold {size}, of which {used} are in use; give it more with --cache-size");
        }

        Directory.CreateDirectory(FilesOf(place));
        await File.WriteAllBytesAsync(Path.Combine(place, Manifest.FileName), manifest.Write(), cancellation);
        return FilesOf(place);
    }

    /// <summary>Keeps a download that is complete and checked.</summary>
    public async Task<HeldArtifact> KeepAsync(string hash, Manifest manifest, CancellationToken cancellation)
    {
        var place = DownloadOf(hash);
        foreach (var file in manifest.Files)
            File.SetAttributes(Path.Combine(FilesOf(place), file.Name), FileAttributes.ReadOnly);
        using var open = await FileLock.SharedAsync(gate, time, cancellation);
        await artifacts.PlaceAsync(FilesOf(place), manifest, cancellation);
        ProcessFolder.Delete(place);
        artifacts.Touch(hash);
        return new HeldArtifact(artifacts.FolderOf(hash), FileLock.TrySharedFolder(artifacts.FolderOf(hash)));
    }

    /// <summary>Keeps an artifact that was made here and is at the server by now.</summary>
    public async Task KeepDraftAsync(string draft, Manifest manifest, CancellationToken cancellation)
    {
        using (await FileLock.SharedAsync(gate, time, cancellation))
            artifacts.Touch(await artifacts.PlaceAsync(draft, manifest, cancellation));
        using var alone = await FileLock.ExclusiveAsync(gate, time, cancellation);
        MakeRoom(0, except: null);
    }

    /// <summary>Frees what a download has taken so far; by whoever has its turn.</summary>
    public void Abandon(string hash) => ProcessFolder.Delete(DownloadOf(hash));

    public void Remove(string hash) => artifacts.Remove(hash);

    /// <returns>Bytes that are used all the same.</returns>
    private long MakeRoom(long wanted, string? except)
    {
        var copies = artifacts.List().Select(copy => new Entry(copy.Bytes, copy.Touched, () => Evict(copy.Hash)));
        var partial = Directory.GetDirectories(downloads).Where(place => place != except)
            .Select(place => new Entry(SizeOf(place), new DateTimeOffset(Directory.GetLastWriteTimeUtc(place)), () => Forget(place)));
        var entries = copies.Concat(partial).OrderBy(entry => entry.Used).ToList();
        var used = entries.Sum(entry => entry.Bytes);
        foreach (var entry in entries)
        {
            if (used + wanted <= size)
                break;
            if (entry.Remove())
                used -= entry.Bytes;
        }

        return used;
    }

    private bool Evict(string hash)
    {
        using var alone = FileLock.TryExclusiveFolder(artifacts.FolderOf(hash));
        if (alone is null)
            return false;
        artifacts.Remove(hash);
        LogEvicted(hash);
        return true;
    }

    private static bool Forget(string place)
    {
        using var alone = FileLock.TryExclusive(LockOf(place));
        if (alone is null)
            return false;
        ProcessFolder.Delete(place);
        File.Delete(LockOf(place));
        return true;
    }

    /// <summary>What a download will take when it is complete.</summary>
    private static long SizeOf(string place)
    {
        try
        {
            return Manifest.ReadForeign(File.ReadAllBytes(Path.Combine(place, Manifest.FileName))).Size();
        }
        catch (Exception error) when (error is IOException or ArtifactException)
        {
            return 0; // just begun, or its list was cut off
        }
    }

    private string DownloadOf(string hash) => Path.Combine(downloads, Path.GetFileName(artifacts.FolderOf(hash)));

    private static string FilesOf(string place) => Path.Combine(place, "files");

    private static string LockOf(string place) => place + ".lock";

    [LoggerMessage(LogLevel.Warning, "A copy is fetched again: {Reason}")]
    private partial void LogDamaged(string reason);

    [LoggerMessage(LogLevel.Information, "Artifact {Hash} left the cache; it is at the server")]
    private partial void LogEvicted(string hash);

    private sealed record Entry(long Bytes, DateTimeOffset Used, Func<bool> Remove);
}
