using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Pipelines.Storage.Artifacts;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Web;

public sealed class UploadsApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private TestServer server = null!;
    private HttpClient client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(fresh, largest: 1 << 20);
        client = server.Client();
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Takes_a_file_in_pieces_and_says_where_to_go_on()
    {
        var upload = await BeginAsync(("weights", "0123456789"), ("empty", ""));

        using var first = await PutAsync(upload, "weights", "0123", 0, 10);
        using var gap = await PutAsync(upload, "weights", "89", 8, 10);
        using var again = await PutAsync(upload, "weights", "0123", 0, 10);
        using var early = await client.PostAsync($"{upload}/commit", null, Cancellation);
        using var rest = await PutAsync(upload, "weights", "456789", await OffsetAsync(upload, "weights"), 10);
        using var committed = await client.PostAsync($"{upload}/commit", null, Cancellation);

        Assert.Equal(HttpStatusCode.NoContent, first.StatusCode);
        await Problem.IsAsync(gap, HttpStatusCode.Conflict, "'weights' begins at 8: expected 4");
        await Problem.IsAsync(again, HttpStatusCode.Conflict, "begins at 0: expected 4");
        await Problem.IsAsync(early, HttpStatusCode.Conflict, "'weights' is not complete: expected 10 bytes, found 4");
        Assert.Equal(HttpStatusCode.NoContent, rest.StatusCode);
        var hash = (await committed.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("hash").GetString()!;
        var folder = await server.Artifacts.OpenAsync(hash, Cancellation);
        Assert.Equal("0123456789", await File.ReadAllTextAsync(Path.Combine(folder, "weights"), Cancellation));
        Assert.Equal("", await File.ReadAllTextAsync(Path.Combine(folder, "empty"), Cancellation));
        using var gone = await client.PostAsync($"{upload}/commit", null, Cancellation);
        await Problem.IsAsync(gone, HttpStatusCode.NotFound, "begin again");
    }

    [Fact]
    public async Task Wants_nothing_of_an_artifact_that_is_there_and_all_of_one_that_is_damaged()
    {
        var list = List(("weights", "0123"));
        var upload = await BeginAsync(("weights", "0123"));
        (await PutAsync(upload, "weights", "0123", 0, 4)).Dispose();
        (await client.PostAsync($"{upload}/commit", null, Cancellation)).Dispose();

        using var there = await PostAsync(list);
        await TestServer.DamageAsync(server.Artifacts, Manifest.Hash(list), "weights");
        using var damaged = await PostAsync(list);

        Assert.Equal(HttpStatusCode.OK, there.StatusCode);
        Assert.False((await there.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).TryGetProperty("id", out _));
        Assert.Equal(HttpStatusCode.Created, damaged.StatusCode);
    }

    [Fact]
    public async Task Refuses_a_file_that_is_not_what_the_list_says_and_keeps_nothing()
    {
        var upload = await BeginAsync(("config.json", "{}"), ("weights", "0123"));
        (await PutAsync(upload, "config.json", "{}", 0, 2)).Dispose();
        (await PutAsync(upload, "weights", "0124", 0, 4)).Dispose();

        using var refused = await client.PostAsync($"{upload}/commit", null, Cancellation);

        await Problem.IsAsync(refused, HttpStatusCode.UnprocessableEntity, "weights: expected sha256 ", "found sha256 ");
        Assert.False(server.Artifacts.Has(Manifest.Hash(List(("config.json", "{}"), ("weights", "0123")))));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(fresh.DataFolder, "work"), "weights", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("""{"files":[{"name":"../x","size":1,"sha256":"HASH"}]}""", "'../x' names no file of an artifact")]
    [InlineData("""{"files":[{"name":"/etc/x","size":1,"sha256":"HASH"}]}""", "'/etc/x' names no file of an artifact")]
    [InlineData("""{"files":[{"name":"a/./x","size":1,"sha256":"HASH"}]}""", "'a/./x' names no file of an artifact")]
    [InlineData("""{"files":[{"name":"artifact.json","size":1,"sha256":"HASH"}]}""", "'artifact.json' names no file")]
    [InlineData("""{"files":[{"name":"a\u0000","size":1,"sha256":"HASH"}]}""", "names no file of an artifact")]
    [InlineData("""{"files":[{"name":"a","size":1,"sha256":"HASH"},{"name":"a","size":1,"sha256":"HASH"}]}""", "'a' is listed twice")]
    [InlineData("""{"files":[{"name":"a","size":1,"sha256":"HASH"},{"name":"a/b","size":1,"sha256":"HASH"}]}""", "'a' is both a file and the folder of 'a/b'")]
    [InlineData("""{"files":[{"name":"a","size":-1,"sha256":"HASH"}]}""", "'a' has -1 bytes")]
    [InlineData("""{"files":[{"name":"a","size":1,"sha256":"0"}]}""", "has the sha256 '0'")]
    [InlineData("""{"files":[{"nam":"a"}]}""", "no list of an artifact's files")]
    [InlineData("none", "no list of an artifact's files")]
    public async Task Refuses_a_list_that_makes_no_sense_or_could_leave_the_artifact(string list, string message)
    {
        using var refused = await PostAsync(Encoding.UTF8.GetBytes(list.Replace("HASH", new string('0', 64), StringComparison.Ordinal)));

        await Problem.IsAsync(refused, HttpStatusCode.BadRequest, message);
    }

    [Fact]
    public async Task Refuses_what_is_too_large_before_it_is_sent()
    {
        using var artifact = await PostAsync(new Manifest([new ManifestFile("weights", (1 << 20) + 1, new string('0', 64))]).Write());
        using var list = await PostAsync(new byte[33 << 20]);
        using var form = await client.PostAsync("api/artifacts/uploads", new StringContent("{}"), Cancellation);

        await Problem.IsAsync(artifact, HttpStatusCode.RequestEntityTooLarge, "has 1048577 bytes: expected at most 1048576");
        await Problem.IsAsync(list, HttpStatusCode.RequestEntityTooLarge, "too large");
        await Problem.IsAsync(form, HttpStatusCode.UnsupportedMediaType, "application/json");
    }

    [Fact]
    public async Task Refuses_pieces_of_what_was_not_announced()
    {
        var upload = await BeginAsync(("weights", "0123"));

        using var unknown = await PutAsync(upload, "..%2fweights", "0123", 0, 4);
        using var longer = await PutAsync(upload, "weights", "01234", 0, 5);
        using var beyond = await PutAsync(upload, "weights", "01234", 0, 4);
        using var nobody = await PutAsync($"api/artifacts/uploads/{Guid.NewGuid():N}", "weights", "0123", 0, 4);

        await Problem.IsAsync(unknown, HttpStatusCode.NotFound, "no file");
        await Problem.IsAsync(longer, HttpStatusCode.BadRequest, "expected a piece of its 4 bytes");
        await Problem.IsAsync(beyond, HttpStatusCode.BadRequest);
        await Problem.IsAsync(nobody, HttpStatusCode.NotFound, "begin again");
        Assert.Equal(0, await OffsetAsync(upload, "weights"));
    }

    [Fact]
    public async Task Throws_away_an_upload_that_nobody_goes_on_with()
    {
        using var clock = new Clock();
        using var uploads = new ArtifactUploads(server.Artifacts, 1000, clock);
        var (_, left) = await uploads.BeginAsync(List(("weights", "left")), Cancellation);
        clock.Advance(ArtifactUploads.LongestSilence / 2);
        var (_, alive) = await uploads.BeginAsync(List(("weights", "alive")), Cancellation);

        clock.Advance(ArtifactUploads.LongestSilence * 0.6);

        Assert.Equal(UploadFault.Unknown, Assert.Throws<UploadException>(() => uploads.Offset(left!.Value, "weights")).Fault);
        Assert.Equal(0, uploads.Offset(alive!.Value, "weights"));
    }

    [Fact]
    public async Task Says_that_its_disk_is_full()
    {
        var disk = Directory.CreateTempSubdirectory("pipelines-disk-").FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk), "mounting a small disk needs root's rights");
        try
        {
            await using var small = await TestServer.StartAsync(fresh, data: disk);
            client = small.Client();
            using var hopeless = await PostAsync(new Manifest([new ManifestFile("weights", 9 << 20, new string('0', 64))]).Write());

            // Either alone would fit.
            var (one, other) = (new string('1', 5 << 20), new string('2', 5 << 20));
            var (first, second) = (await BeginAsync(("weights", one)), await BeginAsync(("weights", other)));
            using var fits = await PutAsync(first, "weights", one, 0, one.Length);
            using var full = await PutAsync(second, "weights", other, 0, other.Length);
            var remote = await Assert.ThrowsAsync<Pipelines.Workflows.ArtifactException>(() => TestServer.MakeAsync(small.Remote(), 1, ("weights", 5 << 20)));

            await Problem.IsAsync(hopeless, HttpStatusCode.InsufficientStorage, "the server's disk is full", "needs 9437184 bytes");
            Assert.Equal(HttpStatusCode.NoContent, fits.StatusCode);
            await Problem.IsAsync(full, HttpStatusCode.InsufficientStorage, "the server's disk is full");
            Assert.Contains("the server's disk is full", remote.Message, StringComparison.Ordinal);
        }
        finally
        {
            Run("umount", disk);
            Directory.Delete(disk);
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static byte[] List(params (string Name, string Text)[] files) => new Manifest([.. files.Select(file =>
        new ManifestFile(file.Name, file.Text.Length, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(file.Text)))))]).Write();

    private async Task<string> BeginAsync(params (string Name, string Text)[] files)
    {
        using var begun = await PostAsync(List(files));
        Assert.Equal(HttpStatusCode.Created, begun.StatusCode);
        return begun.Headers.Location!.ToString().TrimStart('/');
    }

    private Task<HttpResponseMessage> PostAsync(byte[] list) => client.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, "api/artifacts/uploads")
        {
            Content = new ByteArrayContent(list) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            // The server may refuse before the body is sent.
            Headers = { ExpectContinue = true },
        },
        Cancellation);

    private Task<HttpResponseMessage> PutAsync(string upload, string name, string piece, long from, long total)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(piece));
        content.Headers.ContentRange = new ContentRangeHeaderValue(from, Math.Min(from + piece.Length, total) - 1, total);
        return client.PutAsync($"{upload}/files/{name}", content, Cancellation);
    }

    private async Task<long> OffsetAsync(string upload, string name)
    {
        using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"{upload}/files/{name}"), Cancellation);
        return long.Parse(response.Headers.GetValues("Upload-Offset").Single(), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Goes on when it is told to.</summary>
    private sealed class Clock : TimeProvider, IDisposable
    {
        private readonly List<(TimerCallback Callback, object? State)> timers = [];
        private TimeSpan now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            timers.Add((callback, state));
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Advance(TimeSpan time)
        {
            now += time;
            timers.ForEach(timer => timer.Callback(timer.State));
        }

        public void Dispose() => timers.Clear();
    }
}
