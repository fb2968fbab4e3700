using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Routing;
using Pipelines.Activities;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Web;
using Pipelines.Workflows;

namespace Pipelines.Tests.Web;

/// <summary>The real server on a free port, with an engine and a data folder of its own, and another machine's folder.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    public const string Token = "a-token-that-nobody-guesses";

    private readonly PipelinesEngine engine;
    private readonly PipelinesServer server;
    private readonly List<IDisposable> clients = [];

    private TestServer(PipelinesEngine engine, PipelinesServer server) => (this.engine, this.server) = (engine, server);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="largest">Bytes that an artifact may have.</param>
    /// <param name="data">In place of the database's folder.</param>
    /// <param name="toys">Whether it executes stages, those of <see cref="Toys"/>.</param>
    /// <param name="designer">The folder of a built designer; without it there is none.</param>
    public static async Task<TestServer> StartAsync(
        FreshDatabase fresh, string? token = Token, long largest = 1L << 30, string? data = null, Logs? logs = null, bool toys = false,
        string designer = "/nowhere", bool required = false, RequestLimits? limits = null, Catalog? catalog = null)
    {
        var engine = await PipelinesEngine.OpenAsync(
            fresh.Options with { DataFolder = data ?? fresh.DataFolder },
            catalog ?? (toys ? Toys.Catalog().Add(new CopyFile()) : ActivityCatalog.Create()), Cancellation);
        if (toys)
            await engine.WorkAsync(Cancellation);
        var options = new ServerOptions
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Token = token,
            RequireToken = required,
            LargestArtifact = largest,
            LoggerFactory = logs ?? new Logs(),
            Limits = limits ?? new RequestLimits(PerSecond: 10_000, Burst: 10_000, LoginsPerMinute: 1000),
            Designer = designer,
        };
        return new TestServer(engine, await PipelinesServer.StartAsync(engine, options, Cancellation));
    }

    public PipelinesEngine Engine => engine;

    public ArtifactDirectory Artifacts => engine.LocalArtifacts;

    public Uri Address => server.Address;

    public IEnumerable<RouteEndpoint> Endpoints => server.Endpoints;

    /// <summary>The data folder of another machine.</summary>
    public string Elsewhere { get; } = Directory.CreateTempSubdirectory("pipelines-elsewhere-").FullName;

    /// <summary>A client by hand, which keeps no cookies.</summary>
    public HttpClient Client(string? token = Token)
    {
        var client = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = Address };
        if (token is not null)
            client.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        clients.Add(client);
        return client;
    }

    /// <summary>What a worker on the other machine uses.</summary>
    public RemoteArtifacts Remote(long cache = 1L << 30, Uri? through = null, string? token = Token, Logs? logs = null, TimeSpan? patience = null)
    {
        var work = ProcessFolder.Open(Elsewhere);
        var remote = new RemoteArtifacts(
            new ArtifactServer { Address = through ?? Address, Token = token, CacheSize = cache, Patience = patience ?? TimeSpan.FromSeconds(30) },
            Elsewhere, work, TimeProvider.System, (logs ?? new Logs()).Of<RemoteArtifacts>());
        clients.Add(remote);
        clients.Add(work);
        return remote;
    }

    /// <summary>Writes and commits an artifact; the seed decides what is in its files.</summary>
    public static async Task<string> MakeAsync(ArtifactStore artifacts, int seed, params (string Name, int Size)[] files)
    {
        await using var draft = artifacts.Begin();
        var random = new Random(seed);
        foreach (var (name, size) in files)
        {
            var bytes = new byte[size];
            random.NextBytes(bytes);
            var path = Path.Combine(draft.Folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, bytes, Cancellation);
        }

        return await draft.CommitAsync(Cancellation);
    }

    /// <summary>Which file has which content.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> ContentAsync(ArtifactStore artifacts, string hash)
    {
        var folder = await artifacts.OpenAsync(hash, Cancellation);
        return Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToDictionary(
            file => Path.GetRelativePath(folder, file), file => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));
    }

    /// <summary>Changes the bits of a file behind everyone's back.</summary>
    public static async Task DamageAsync(ArtifactStore artifacts, string hash, string file)
    {
        var path = Path.Combine(await artifacts.OpenAsync(hash, Cancellation), file);
        File.SetAttributes(path, FileAttributes.Normal);
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var first = stream.ReadByte();
        stream.Position = 0;
        stream.WriteByte((byte)(first ^ 1));
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        foreach (var client in clients)
            client.Dispose();
        await engine.DisposeAsync();
        Directory.Delete(Elsewhere, recursive: true);
    }
}
