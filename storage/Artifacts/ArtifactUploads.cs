using System.Collections.Concurrent;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>
/// Artifacts on their way in, as drafts that grow file by file. One that hears nothing for an hour is thrown away; all
/// go with the process, as drafts do.
/// </summary>
internal sealed class ArtifactUploads : IDisposable
{
    public static readonly TimeSpan LongestSilence = TimeSpan.FromHours(1);
    private const int Most = 256;

    private readonly ArtifactDirectory artifacts;
    private readonly long largest;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private readonly ConcurrentDictionary<Guid, Upload> uploads = new();

    /// <param name="largest">Bytes that an artifact may have.</param>
    public ArtifactUploads(ArtifactDirectory artifacts, long largest, TimeProvider time)
    {
        (this.artifacts, this.largest, this.time) = (artifacts, largest, time);
        timer = time.CreateTimer(_ => Sweep(), null, LongestSilence / 4, LongestSilence / 4);
    }

    /// <param name="list">The artifact's list of files.</param>
    /// <returns>The artifact's hash, and the upload; null when the artifact is there, and whole.</returns>
    /// <exception cref="UploadException">The list is none, or there is no room.</exception>
    public async Task<(string Hash, Guid? Id)> BeginAsync(byte[] list, CancellationToken cancellation)
    {
        Manifest manifest;
        try
        {
            manifest = Manifest.ReadForeign(list);
        }
        catch (ArtifactException error)
        {
            throw new UploadException(UploadFault.Invalid, error.Message);
        }

        var (hash, bytes) = (Manifest.Hash(manifest.Write()), manifest.Size());
        if (bytes > largest)
            throw new UploadException(UploadFault.TooLarge, $"artifact {hash} has {bytes} bytes: expected at most {largest}");
        if (artifacts.Has(hash) && await artifacts.IsWholeAsync(hash, cancellation))
            return (hash, null);
        if (uploads.Count >= Most)
            throw new UploadException(UploadFault.TooMany, $"{Most} uploads are under way: try again later");
        var folder = artifacts.NewFolder();
        var upload = new Upload(hash, manifest.Files.ToDictionary(file => file.Name), folder) { Heard = time.GetTimestamp() };
        try
        {
            Open(upload, bytes);
        }
        catch (Exception error)
        {
            ProcessFolder.Delete(folder);
            if (error is IOException { } full && Disk.IsFull(full))
                throw Full(hash, bytes, folder);
            throw;
        }

        var id = Guid.NewGuid();
        uploads[id] = upload;
        return (hash, id);
    }

    /// <summary>How much of the file is here.</summary>
    /// <exception cref="UploadException">There is no such upload or file.</exception>
    public long Offset(Guid id, string name) => new FileInfo(Find(id, name).Path).Length;

    /// <summary>Adds a piece of a file; what arrives of one that breaks off stays.</summary>
    /// <param name="offset">Where the piece begins: the end of what is here.</param>
    /// <param name="length">Of the piece.</param>
    /// <param name="total">Of the file, as the sender has it.</param>
    /// <returns>How much of the file is here.</returns>
    /// <exception cref="UploadException">It does not fit.</exception>
    public async Task<long> AppendAsync(Guid id, string name, long offset, long length, long total, Stream piece, CancellationToken cancellation)
    {
        var (upload, path) = Find(id, name);
        var size = upload.Files[name].Size;
        if (total != size || offset < 0 || length < 0 || offset > size - length)
            throw new UploadException(UploadFault.Invalid, $"bytes {offset} to {offset + length} of {total} of '{name}': expected a piece of its {size} bytes");
        using var turn = upload.TryEnter(name) ?? throw new UploadException(UploadFault.OutOfPlace, $"another piece of '{name}' is being written");
        await using var target = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        if (target.Length != offset)
            throw new UploadException(UploadFault.OutOfPlace, $"a piece of '{name}' begins at {offset}: expected {target.Length}");
        target.Position = offset;
        try
        {
            await CopyAsync(piece, target, offset + length, upload, cancellation);
        }
        catch (IOException error) when (Disk.IsFull(error))
        {
            throw Full(upload.Hash, size - target.Length, upload.Folder);
        }

        return target.Length;
    }

    /// <summary>Checks every file, and gives the artifact its name.</summary>
    /// <returns>The artifact's hash.</returns>
    /// <exception cref="UploadException">A file is not what the list says: the upload is thrown away. Or one is not complete.</exception>
    public async Task<string> CommitAsync(Guid id, CancellationToken cancellation)
    {
        var upload = Find(id);
        using var turn = upload.TryEnter("") ?? throw new UploadException(UploadFault.OutOfPlace, "the upload is being committed");
        foreach (var file in upload.Files.Values)
        {
            if (Offset(id, file.Name) is var present && present != file.Size)
                throw new UploadException(UploadFault.OutOfPlace, $"'{file.Name}' is not complete: expected {file.Size} bytes, found {present}");
        }

        try
        {
            var found = await ArtifactDirectory.SealAsync(upload.Folder, cancellation);
            foreach (var file in found.Files)
            {
                if (file.Sha256 != upload.Files[file.Name].Sha256)
                {
                    Discard(id);
                    throw new UploadException(
                        UploadFault.Damaged, $"artifact {upload.Hash}: {file.Name}: expected sha256 {upload.Files[file.Name].Sha256}, found sha256 {file.Sha256}");
                }
            }

            var hash = await artifacts.PlaceAsync(upload.Folder, found, cancellation);
            Discard(id);
            return hash;
        }
        catch (IOException error) when (Disk.IsFull(error))
        {
            Discard(id);
            throw Full(upload.Hash, upload.Files.Values.Sum(file => file.Size), artifacts.Root);
        }
    }

    public void Discard(Guid id)
    {
        if (uploads.TryRemove(id, out var upload))
            ProcessFolder.Delete(upload.Folder);
    }

    public void Dispose()
    {
        timer.Dispose();
        foreach (var id in uploads.Keys)
            Discard(id);
    }

    private void Sweep()
    {
        foreach (var (id, upload) in uploads)
        {
            if (!upload.Busy && time.GetElapsedTime(upload.Heard) > LongestSilence)
                Discard(id);
        }
    }

    private static void Open(Upload upload, long bytes)
    {
        if (new DriveInfo(upload.Folder).AvailableFreeSpace < bytes)
            throw Full(upload.Hash, bytes, upload.Folder);
        foreach (var file in upload.Files.Keys)
        {
            var path = Path.Combine(upload.Folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Create(path).Dispose();
        }
    }

    private async Task CopyAsync(Stream piece, FileStream target, long end, Upload upload, CancellationToken cancellation)
    {
        var buffer = new byte[1 << 17];
        while (await piece.ReadAsync(buffer, cancellation) is > 0 and var count)
        {
            if (target.Position + count > end)
                throw new UploadException(UploadFault.Invalid, $"more than the {end} bytes that were announced arrive");
            await target.WriteAsync(buffer.AsMemory(0, count), cancellation);
            upload.Heard = time.GetTimestamp();
        }
    }

    private Upload Find(Guid id)
    {
        if (!uploads.TryGetValue(id, out var upload))
            throw new UploadException(UploadFault.Unknown, $"there is no upload {id:N}: begin again");
        upload.Heard = time.GetTimestamp();
        return upload;
    }

    private (Upload Upload, string Path) Find(Guid id, string name)
    {
        var upload = Find(id);
        return upload.Files.ContainsKey(name)
            ? (upload, Path.Combine(upload.Folder, name))
            : throw new UploadException(UploadFault.Unknown, $"the upload has no file '{name}'");
    }

    private static UploadException Full(string hash, long bytes, string folder) => new(
        UploadFault.DiskFull,
        $"the server's disk is full: artifact {hash} needs {bytes} bytes, {new DriveInfo(folder).AvailableFreeSpace} bytes are free");

    private sealed class Upload(string hash, IReadOnlyDictionary<string, ManifestFile> files, string folder)
    {
        private readonly ConcurrentDictionary<string, byte> entered = new();
        private long heard;

        public string Hash => hash;

        public IReadOnlyDictionary<string, ManifestFile> Files => files;

        public string Folder => folder;

        public bool Busy => !entered.IsEmpty;

        public long Heard
        {
            get => Volatile.Read(ref heard);
            set => Volatile.Write(ref heard, value);
        }

        /// <summary>Null while somebody else is at it.</summary>
        public IDisposable? TryEnter(string name) => entered.TryAdd(name, 0) ? new Turn(() => entered.TryRemove(name, out _)) : null;

        private sealed class Turn(Action leave) : IDisposable
        {
            public void Dispose() => leave();
        }
    }
}
