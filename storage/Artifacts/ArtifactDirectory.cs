using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>
/// Artifacts in the data folder: <c>artifacts/3f/3f9a…/</c> holds the files and their list. A draft lies on the same
/// disk and is renamed into place when it is complete and flushed, so what has a name is whole.
/// </summary>
internal sealed class ArtifactDirectory : ArtifactStore
{
    private readonly string root;
    private readonly ProcessFolder work;

    // What was hashed by this process, with the sizes and times that say that it is unchanged since.
    private readonly ConcurrentDictionary<string, IReadOnlyList<Fingerprint>> verified = new();

    public ArtifactDirectory(string dataFolder, ProcessFolder work)
    {
        this.work = work;
        root = Path.Combine(dataFolder, "artifacts");
        Directory.CreateDirectory(root);
    }

    public string Root => root;

    public override ArtifactDraft Begin() => new DirectoryDraft(NewFolder(), CommitAsync);

    /// <summary>An empty folder on the artifacts' disk; gone with this process.</summary>
    public string NewFolder() => work.Create("draft");

    public bool Has(string hash) => Directory.Exists(FolderOf(hash));

    public override async Task<HeldArtifact> HoldAsync(string hash, CancellationToken cancellation) =>
        new(await OpenAsync(hash, cancellation), null);

    public override async Task<bool> IsWholeAsync(string hash, CancellationToken cancellation)
    {
        Touch(hash);
        try
        {
            await OpenAsync(hash, cancellation);
            return true;
        }
        catch (ArtifactException)
        {
            return false;
        }
    }

    public override async Task<string> OpenAsync(string hash, CancellationToken cancellation)
    {
        var folder = FolderOf(hash);
        if (!Directory.Exists(folder))
            throw new ArtifactException($"artifact {hash} is not there: expected the folder {folder}");
        try
        {
            if (verified.TryGetValue(hash, out var known) && known.SequenceEqual(Fingerprints(folder)))
                return folder;
            await VerifyAsync(hash, folder, cancellation);
        }
        catch (IOException error)
        {
            throw new ArtifactException($"artifact {hash} cannot be read: {error.Message}", error);
        }

        return folder;
    }

    /// <summary>Every artifact that has its name, in no order.</summary>
    public IEnumerable<StoredArtifact> List()
    {
        foreach (var folder in Directory.EnumerateDirectories(root).SelectMany(Directory.EnumerateDirectories))
        {
            var hash = $"sha256:{Path.GetFileName(folder)}";
            if (Manifest.IsHash(hash))
                yield return new StoredArtifact(hash, FilesIn(folder).Sum(file => file.Length), new DateTimeOffset(Directory.GetLastWriteTimeUtc(folder)));
        }
    }

    /// <summary>Notes that the artifact is used again: it is not garbage for a while.</summary>
    public void Touch(string hash)
    {
        try
        {
            Directory.SetLastWriteTimeUtc(FolderOf(hash), TimeProvider.System.GetUtcNow().UtcDateTime);
        }
        catch (IOException)
        {
            // Collected in this moment; whoever opens it is told.
        }
    }

    public override Task RemoveAsync(string hash, CancellationToken cancellation)
    {
        Remove(hash);
        return Task.CompletedTask;
    }

    /// <summary>Takes away an artifact that nothing refers to any more; who has its files open keeps them.</summary>
    public void Remove(string hash)
    {
        verified.TryRemove(hash, out _);
        try
        {
            var away = Path.Combine(work.Create("removed"), "artifact");
            Directory.Move(FolderOf(hash), away);
            ProcessFolder.Delete(Path.GetDirectoryName(away)!);
        }
        catch (IOException)
        {
            // Another process was quicker.
        }
    }

    internal async Task<string> CommitAsync(string draft, CancellationToken cancellation) =>
        await PlaceAsync(draft, await SealAsync(draft, cancellation), cancellation);

    /// <summary>Hashes and flushes the files of a draft; from then on they can only be read.</summary>
    internal static async Task<Manifest> SealAsync(string draft, CancellationToken cancellation)
    {
        var files = new List<ManifestFile>();
        foreach (var file in FilesIn(draft))
        {
            var name = NameOf(draft, file);
            if (name == Manifest.FileName)
                throw new ArtifactException($"an artifact's own file may not be called {name}");
            File.SetAttributes(file.FullName, FileAttributes.ReadOnly);
            files.Add(new ManifestFile(name, file.Length, await HashAsync(file.FullName, flush: true, cancellation)));
        }

        return new Manifest(files);
    }

    /// <summary>Gives the sealed files of a draft their name.</summary>
    /// <returns>The artifact's hash.</returns>
    internal async Task<string> PlaceAsync(string draft, Manifest manifest, CancellationToken cancellation)
    {
        var bytes = manifest.Write();
        WriteManifest(draft, bytes);
        foreach (var folder in Directory.EnumerateDirectories(draft, "*", SearchOption.AllDirectories))
            Disk.FlushFolder(folder);
        Disk.FlushFolder(draft);

        var hash = Manifest.Hash(bytes);
        var fingerprints = Fingerprints(draft);
        if (await MoveAsync(draft, hash, cancellation))
            verified[hash] = fingerprints;
        return hash;
    }

    /// <returns>False when the same content was there already.</returns>
    private async Task<bool> MoveAsync(string draft, string hash, CancellationToken cancellation)
    {
        var place = FolderOf(hash);
        var parent = Path.GetDirectoryName(place)!;
        Directory.CreateDirectory(parent);
        while (true)
        {
            try
            {
                Directory.Move(draft, place);
                Disk.FlushFolder(parent);
                Disk.FlushFolder(root);
                return true;
            }
            catch (IOException) when (Directory.Exists(place))
            {
                // Somebody had the same content. Unless theirs is damaged, it stays.
            }

            try
            {
                await OpenAsync(hash, cancellation);
                return false;
            }
            catch (ArtifactException)
            {
                MoveAside(place);
            }
        }
    }

    private void MoveAside(string place)
    {
        try
        {
            Directory.Move(place, Path.Combine(work.Create("damaged"), "artifact"));
        }
        catch (DirectoryNotFoundException)
        {
            // Another process that commits the same content was quicker.
        }
    }

    private async Task VerifyAsync(string hash, string folder, CancellationToken cancellation)
    {
        var list = Path.Combine(folder, Manifest.FileName);
        if (!File.Exists(list))
            throw Damaged(hash, Manifest.FileName, "a list of files", "none");
        var bytes = await File.ReadAllBytesAsync(list, cancellation);
        if (Manifest.Hash(bytes) is var found && found != hash)
            throw Damaged(hash, Manifest.FileName, hash, found);

        var fingerprints = Fingerprints(folder);
        var present = FilesIn(folder).ToDictionary(file => NameOf(folder, file));
        present.Remove(Manifest.FileName);
        foreach (var expected in ReadManifest(hash, bytes).Files)
        {
            if (!present.Remove(expected.Name, out var file))
                throw Damaged(hash, expected.Name, $"{expected.Size} bytes", "no such file");
            if (file.Length != expected.Size)
                throw Damaged(hash, expected.Name, $"{expected.Size} bytes", $"{file.Length} bytes");
            if (await HashAsync(file.FullName, flush: false, cancellation) is var actual && actual != expected.Sha256)
                throw Damaged(hash, expected.Name, $"sha256 {expected.Sha256}", $"sha256 {actual}");
        }

        if (present.Count > 0)
            throw Damaged(hash, present.Keys.Order(StringComparer.Ordinal).First(), "no such file", "a file");
        verified[hash] = fingerprints;
    }

    private static Manifest ReadManifest(string hash, byte[] bytes)
    {
        try
        {
            return Manifest.Read(bytes);
        }
        catch (JsonException error)
        {
            throw new ArtifactException($"artifact {hash}: {Manifest.FileName} is no list of files: {error.Message}", error);
        }
    }

    private static void WriteManifest(string draft, byte[] bytes)
    {
        using var list = File.OpenHandle(
            Path.Combine(draft, Manifest.FileName), FileMode.CreateNew, FileAccess.Write);
        RandomAccess.Write(list, bytes, 0);
        RandomAccess.FlushToDisk(list);
    }

    /// <summary>The files below a folder, in the order of their names; a link among them is refused.</summary>
    private static List<FileInfo> FilesIn(string folder)
    {
        var files = new List<FileInfo>();
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", Everything))
        {
            if (entry.LinkTarget is { } target)
                throw new ArtifactException($"{entry.FullName} is a link to {target}: an artifact holds only files");
            if (entry is FileInfo file)
                files.Add(file);
        }

        files.Sort((a, b) => string.CompareOrdinal(a.FullName, b.FullName));
        return files;
    }

    private static EnumerationOptions Everything => new()
    {
        AttributesToSkip = FileAttributes.None,
        RecurseSubdirectories = true,
        IgnoreInaccessible = false,
    };

    private static async Task<string> HashAsync(string path, bool flush, CancellationToken cancellation)
    {
        await using var stream = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20, FileOptions.SequentialScan);
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation));
        if (flush)
            RandomAccess.FlushToDisk(stream.SafeFileHandle);
        return hash;
    }

    private static List<Fingerprint> Fingerprints(string folder) =>
        [.. FilesIn(folder).Select(file => new Fingerprint(NameOf(folder, file), file.Length, file.LastWriteTimeUtc))];

    private static string NameOf(string folder, FileInfo file) => Path.GetRelativePath(folder, file.FullName);

    internal string FolderOf(string hash)
    {
        if (!Manifest.IsHash(hash))
            throw new ArtifactException($"'{hash}' names no artifact: expected sha256: and 64 hexadecimal digits");
        var digits = hash["sha256:".Length..];
        return Path.Combine(root, digits[..2], digits);
    }

    private static ArtifactException Damaged(string hash, string file, string expected, string found) =>
        new($"artifact {hash} is damaged: {file}: expected {expected}, found {found}");

    private sealed record Fingerprint(string Name, long Size, DateTime Written);
}
