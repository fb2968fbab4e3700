using Pipelines.Engine;
using Pipelines.Storage.Artifacts;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Tests.Web;
using Pipelines.Workflows;

namespace Pipelines.Tests.Storage;

/// <summary>Artifacts at a real server, from another data folder.</summary>
public sealed class RemoteArtifactsTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private const int Megabyte = 1 << 20;

    private TestServer server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync(fresh);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task What_is_made_at_one_place_is_the_same_at_the_other()
    {
        (string, int)[] files = [("config.json", 20), ("part/we ights%2f#?ä", 3 * Megabyte), ("empty", 0)];
        var remote = server.Remote();
        var here = await TestServer.MakeAsync(server.Artifacts, 1, files);
        var there = await TestServer.MakeAsync(remote, 2, files);

        Assert.Equal(await TestServer.ContentAsync(server.Artifacts, here), await TestServer.ContentAsync(remote, here));
        Assert.Equal(await TestServer.ContentAsync(server.Artifacts, there), await TestServer.ContentAsync(remote, there));
        Assert.Equal(here, await TestServer.MakeAsync(remote, 1, files));
    }

    [Fact]
    public async Task What_is_in_the_cache_and_whole_is_not_fetched_again()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 3, ("weights", Megabyte));
        await using var proxy = new CuttingProxy(server.Address);
        await server.Remote(through: proxy.Address).OpenAsync(hash, Cancellation);
        var carried = proxy.Carried;

        var later = server.Remote(through: proxy.Address);
        await later.OpenAsync(hash, Cancellation);
        Assert.Equal(carried, proxy.Carried);

        await TestServer.DamageAsync(later, hash, "weights");
        Assert.Equal(await TestServer.ContentAsync(server.Artifacts, hash), await TestServer.ContentAsync(later, hash));
        Assert.True(proxy.Carried > carried + Megabyte);
    }

    [Fact]
    public async Task Transfers_go_on_where_the_connection_was_cut()
    {
        const int size = 20 * Megabyte;
        var hash = await TestServer.MakeAsync(server.Artifacts, 4, ("weights", size), ("more", Megabyte));
        await using var proxy = new CuttingProxy(server.Address) { CutAfter = 3 * Megabyte };
        var remote = server.Remote(through: proxy.Address);

        var fetched = await TestServer.ContentAsync(remote, hash);
        var downCuts = proxy.Cuts;
        var made = await TestServer.MakeAsync(remote, 5, ("weights", size), ("more", Megabyte));

        Assert.Equal(await TestServer.ContentAsync(server.Artifacts, hash), fetched);
        Assert.Equal(await TestServer.ContentAsync(remote, made), await TestServer.ContentAsync(server.Artifacts, made));

        // No connection carries a file, or a piece of an upload: from the beginning every time, it would never have arrived.
        // How many it takes is not certain, as a reset also loses what was on its way.
        Assert.True(downCuts >= size / proxy.CutAfter, $"{downCuts} cuts");
        Assert.True(proxy.Cuts - downCuts >= size / proxy.CutAfter, $"{proxy.Cuts - downCuts} cuts");
    }

    [Fact]
    public async Task A_download_goes_on_where_another_process_left_it()
    {
        const int size = 8 * Megabyte;
        var hash = await TestServer.MakeAsync(server.Artifacts, 6, ("weights", size));
        await using var proxy = new CuttingProxy(server.Address) { CutAfter = 5 * Megabyte, MostCuts = 1 };

        var error = await Assert.ThrowsAsync<ArtifactException>(
            () => server.Remote(through: proxy.Address, patience: TimeSpan.Zero).OpenAsync(hash, Cancellation));
        var left = new FileInfo(Directory.EnumerateFiles(server.Elsewhere, "weights", SearchOption.AllDirectories).Single()).Length;
        var before = proxy.Carried;
        (proxy.CutAfter, proxy.MostCuts) = (null, int.MaxValue);
        var fetched = await TestServer.ContentAsync(server.Remote(through: proxy.Address), hash);

        Assert.Contains($"the artifact server {proxy.Address} cannot be reached", error.Message, StringComparison.Ordinal);
        Assert.Equal(await TestServer.ContentAsync(server.Artifacts, hash), fetched);
        Assert.InRange(left, 1, size - 1);
        // The rest, and headers.
        Assert.InRange(proxy.Carried - before, size - left, size - left + 10_000);
    }

    [Fact]
    public async Task A_damaged_partial_download_is_noticed_and_fetched_again()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 7, ("weights", 8 * Megabyte));
        await using var proxy = new CuttingProxy(server.Address) { CutAfter = 5 * Megabyte, MostCuts = 1 };
        await Assert.ThrowsAsync<ArtifactException>(
            () => server.Remote(through: proxy.Address, patience: TimeSpan.Zero).OpenAsync(hash, Cancellation));
        var partial = Directory.EnumerateFiles(server.Elsewhere, "weights", SearchOption.AllDirectories).Single();
        await using (var stream = new FileStream(partial, FileMode.Open, FileAccess.Write))
            stream.Write(new byte[100]);

        Assert.Equal(await TestServer.ContentAsync(server.Artifacts, hash), await TestServer.ContentAsync(server.Remote(), hash));
    }

    [Fact]
    public async Task What_is_damaged_at_the_server_is_refused_and_named()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 8, ("weights", 100));
        await TestServer.DamageAsync(server.Artifacts, hash, "weights");
        var remote = server.Remote();

        var error = await Assert.ThrowsAsync<ArtifactException>(() => remote.OpenAsync(hash, Cancellation));

        Assert.Contains("is damaged: weights: expected sha256", error.Message, StringComparison.Ordinal);
        Assert.False(await remote.IsWholeAsync(hash, Cancellation));
    }

    [Fact]
    public async Task Whether_it_is_whole_is_asked_without_fetching_it()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 9, ("weights", Megabyte));
        await using var proxy = new CuttingProxy(server.Address);
        var remote = server.Remote(through: proxy.Address);

        Assert.True(await remote.IsWholeAsync(hash, Cancellation));
        await remote.RemoveAsync(hash, Cancellation);
        Assert.False(await remote.IsWholeAsync(hash, Cancellation));
        var error = await Assert.ThrowsAsync<ArtifactException>(() => remote.OpenAsync(hash, Cancellation));

        Assert.Equal($"artifact {hash} is not at {proxy.Address}", error.Message);
        Assert.InRange(proxy.Carried, 1, 10_000);
    }

    [Fact]
    public async Task The_cache_keeps_to_its_size_and_to_what_is_in_use()
    {
        var hashes = new List<string>();
        for (var i = 0; i < 5; i++)
            hashes.Add(await TestServer.MakeAsync(server.Artifacts, 10 + i, ("weights", Megabyte)));
        var (here, otherProcess) = (server.Remote(cache: 3 * Megabyte + Megabyte / 2), server.Remote(cache: 3 * Megabyte + Megabyte / 2));

        using (var use = here.Use())
        {
            await use.OpenAsync(hashes[0], Cancellation);
            foreach (var hash in hashes.Skip(1))
            {
                await otherProcess.OpenAsync(hash, Cancellation);
                Assert.InRange(CacheBytes(), Megabyte, 3 * Megabyte + Megabyte / 2);
            }

            // The oldest is in use; of the others the last two are left.
            Assert.Equal([hashes[0], hashes[3], hashes[4]], Cached(hashes));
            await use.OpenAsync(hashes[3], Cancellation);
            await use.OpenAsync(hashes[4], Cancellation);
            var error = await Assert.ThrowsAsync<ArtifactException>(() => otherProcess.OpenAsync(hashes[1], Cancellation));
            Assert.Contains($"artifact {hashes[1]} has {Megabyte} bytes, but the cache may hold {3 * Megabyte + Megabyte / 2}", error.Message, StringComparison.Ordinal);
            Assert.Contains("--cache-size", error.Message, StringComparison.Ordinal);
        }

        await otherProcess.OpenAsync(hashes[1], Cancellation);
        Assert.Equal([hashes[1], hashes[3], hashes[4]], Cached(hashes));

        // What a stage makes is never refused; it is at the server when it leaves.
        var large = await TestServer.MakeAsync(here, 20, ("weights", 4 * Megabyte));
        Assert.True(server.Artifacts.Has(large));
        Assert.InRange(CacheBytes(), 0, 3 * Megabyte + Megabyte / 2);
    }

    [Fact]
    public async Task Many_that_open_the_same_fetch_it_once()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 30, ("weights", 4 * Megabyte));
        await using var proxy = new CuttingProxy(server.Address);
        var remotes = new[] { server.Remote(through: proxy.Address), server.Remote(through: proxy.Address) };

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => remotes[i % 2].OpenAsync(hash, Cancellation), Cancellation)));

        Assert.InRange(proxy.Carried, 4 * Megabyte, 5 * Megabyte);
    }

    [Fact]
    public async Task An_engine_whose_artifacts_are_elsewhere_reuses_results_and_collects_no_garbage()
    {
        var options = fresh.Options with
        {
            DataFolder = server.Elsewhere,
            Artifacts = new ArtifactServer { Address = server.Address, Token = TestServer.Token, CacheSize = 100 * Megabyte },
        };
        await using var engine = await PipelinesEngine.OpenAsync(options, Toys.Catalog(), Cancellation);
        await engine.WorkAsync(Cancellation);
        var plan = Toys.Plan(Toys.Stage("write", "toy.write-file", new { text = "far away" }));

        var first = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);
        var second = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: true, Cancellation), Cancellation);
        var garbage = await Assert.ThrowsAsync<EngineException>(
            () => engine.CollectGarbageAsync(TimeSpan.Zero, 1, dry: true, (_, _) => { }, Cancellation));

        Assert.False(first.Stages.Single().Reused);
        Assert.True(second.Stages.Single().Reused);
        Assert.True(server.Artifacts.Has(first.Stages.Single().Outputs!.Value.GetProperty("file").GetString()!));
        Assert.Contains($"at {server.Address}: do this there", garbage.Message, StringComparison.Ordinal);
    }

    private string CacheFolder => Path.Combine(server.Elsewhere, "cache");

    private long CacheBytes() => Directory.EnumerateFiles(CacheFolder, "weights", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);

    private string[] Cached(IEnumerable<string> hashes) =>
        [.. hashes.Where(hash => Directory.Exists(Path.Combine(CacheFolder, "artifacts", hash["sha256:".Length..][..2], hash["sha256:".Length..])))];
}
