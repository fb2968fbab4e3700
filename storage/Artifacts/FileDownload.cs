using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>One file on its way: it is hashed as it comes, and goes on after a break where it was.</summary>
internal sealed class FileDownload : IDisposable
{
    private const int Buffer = 1 << 20;

    /// <summary>A server that lives sends something in this time.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(1);

    private readonly FileStream target;
    private readonly IncrementalHash sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private FileDownload(FileStream target) => this.target = target;

    /// <summary>With what an earlier process left of it.</summary>
    public static async Task<FileDownload> OpenAsync(string path, long size, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (File.Exists(path))
            File.SetAttributes(path, FileAttributes.Normal);
        var download = new FileDownload(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0));
        try
        {
            if (download.target.Length > size)
                download.target.SetLength(0);
            await download.CopyAsync(download.target, into: null, size, _ => { }, cancellation);
            return download;
        }
        catch
        {
            download.Dispose();
            throw;
        }
    }

    /// <param name="reached">Is told how much there is.</param>
    public async Task FetchAsync(
        ServerConnection connection, string path, ManifestFile file, Action<long> reached, CancellationToken cancellation)
    {
        reached(target.Position);
        if (target.Position == file.Size)
            return;
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (target.Position > 0)
        {
            request.Headers.Range = new RangeHeaderValue(target.Position, null);
            request.Headers.IfRange = new RangeConditionHeaderValue(new EntityTagHeaderValue($"\"{file.Sha256}\""));
        }

        using var response = await connection.SendAsync(request, cancellation);
        ServerConnection.CheckFound(response);
        if (response.StatusCode != HttpStatusCode.PartialContent || response.Content.Headers.ContentRange?.From != target.Position)
            Restart();
        await using var source = await response.Content.ReadAsStreamAsync(cancellation);
        await CopyAsync(source, target, file.Size, reached, cancellation);
        if (target.Position < file.Size)
            throw new HttpIOException(HttpRequestError.ResponseEnded, $"{file.Name} ends after {target.Position} of {file.Size} bytes");
    }

    /// <summary>Flushes what there is.</summary>
    /// <returns>Its hash.</returns>
    public string Finish()
    {
        target.Flush(flushToDisk: true);
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }

    public void Dispose()
    {
        target.Dispose();
        sha.Dispose();
    }

    private void Restart()
    {
        target.SetLength(0);
        sha.GetHashAndReset();
    }

    /// <param name="into">Null when the bytes are in their place already.</param>
    private async Task CopyAsync(Stream source, Stream? into, long size, Action<long> reached, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Buffer);
        try
        {
            while (await source.ReadAsync(buffer.AsMemory(0, Buffer), cancellation).AsTask().WaitAsync(Silence, TimeProvider.System, cancellation) is > 0 and var count)
            {
                if (into is not null && target.Position + count > size)
                    throw new ArtifactException($"{target.Name}: more than the {size} bytes that were announced arrive");
                if (into is not null)
                    await into.WriteAsync(buffer.AsMemory(0, count), cancellation);
                sha.AppendData(buffer, 0, count);
                reached(target.Position);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
