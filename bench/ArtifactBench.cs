using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Web;
using Pipelines.Workflows;

namespace Pipelines.Bench;

/// <param name="Hash">Bytes per second that one core hashes, which is the bound of all of them.</param>
/// <param name="Local">Committing an artifact in the data folder.</param>
/// <param name="Upload">Committing it on another machine: hashed there, sent, hashed at the server.</param>
/// <param name="Download">Opening it on another machine for the first time: fetched, hashed, flushed.</param>
public sealed record ArtifactSpeed(double Hash, double Local, double Upload, double Download);

/// <summary>How fast artifacts reach another machine, as two folders and a server on loopback.</summary>
public static class ArtifactBench
{
    public static async Task<ArtifactSpeed> RunAsync(long bytes, CancellationToken cancellation)
    {
        var root = Directory.CreateTempSubdirectory("pipelines-bench-").FullName;
        try
        {
            var (here, there) = (Path.Combine(root, "here"), Path.Combine(root, "there"));
            await using var engine = await PipelinesEngine.OpenAsync(new EngineOptions(null, here), new Catalog(), cancellation);
            await using var server = await PipelinesServer.StartAsync(
                engine, new ServerOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0) }, cancellation);
            Directory.CreateDirectory(there);
            using var work = ProcessFolder.Open(there);
            using var remote = new RemoteArtifacts(
                new ArtifactServer { Address = server.Address, CacheSize = 2 * bytes }, there, work, TimeProvider.System, NullLogger<RemoteArtifacts>.Instance);

            var buffer = new byte[64 << 20];
            var hash = Stopwatch.StartNew();
            SHA256.HashData(buffer);
            var hashed = buffer.Length / hash.Elapsed.TotalSeconds;
            var (_, local) = await CommitAsync(engine.Artifacts, 1, bytes, cancellation);
            var (_, upload) = await CommitAsync(remote, 2, bytes, cancellation);
            var (fresh, _) = await CommitAsync(engine.Artifacts, 3, bytes, cancellation);
            var download = Stopwatch.StartNew();
            await remote.OpenAsync(fresh, cancellation);
            return new ArtifactSpeed(hashed, bytes / local, bytes / upload, bytes / download.Elapsed.TotalSeconds);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task<(string Hash, double Seconds)> CommitAsync(IArtifacts artifacts, int seed, long bytes, CancellationToken cancellation)
    {
        await using var draft = artifacts.Begin();
        var piece = new byte[1 << 20];
        new Random(seed).NextBytes(piece);
        await using (var file = File.Create(Path.Combine(draft.Folder, "weights")))
        {
            for (var left = bytes; left > 0; left -= piece.Length)
                await file.WriteAsync(piece.AsMemory(0, (int)Math.Min(left, piece.Length)), cancellation);
        }

        var watch = Stopwatch.StartNew();
        var hash = await draft.CommitAsync(cancellation);
        return (hash, watch.Elapsed.TotalSeconds);
    }
}
