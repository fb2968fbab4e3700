using System.IO.Compression;
using System.Net;
using Pipelines.Storage.Artifacts;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Web;

public sealed class ArtifactViewsApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    /// <summary>Its text is this test's own: the tests share a database, and what one removes another would compute again.</summary>
    private readonly string chain = $$"""
        [{ "id": "make", "kind": "toy.write-file", "parameters": { "text": "{{$"{Guid.NewGuid():N}"[..7]}}" } },
         { "id": "copy", "kind": "toy.copy-file", "parameters": { "add": "+" }, "inputs": { "file": "make.file" } },
         { "id": "again", "kind": "toy.copy-file", "parameters": { "add": "!" }, "inputs": { "file": "copy.file" } },
         { "id": "aside", "kind": "toy.copy-file", "parameters": { "add": "?" }, "inputs": { "file": "make.file" } }]
        """;

    private TestServer server = null!;
    private HttpClient client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(fresh, toys: true);
        client = server.Client();
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task An_artifact_says_what_is_in_it_and_who_made_it()
    {
        var (first, files) = await RunAsync();
        var (second, _) = await RunAsync();

        var info = await client.AskAsync($"api/artifacts/{files["copy"]}/info");

        Assert.Equal(8, info.GetProperty("size").GetInt64());
        Assert.Equal("text", info.GetProperty("files")[0].GetProperty("name").GetString());
        Assert.Equal(8, info.GetProperty("files")[0].GetProperty("size").GetInt64());
        var makers = info.GetProperty("madeBy");
        Assert.Equal([$"{second}", $"{first}"], makers.All("run").Take(2));
        Assert.All(makers.All("stage"), stage => Assert.Equal("copy", stage));
        Assert.True(makers[0].GetProperty("reused").GetBoolean());
    }

    [Fact]
    public async Task Lineage_leads_from_what_it_came_from_to_what_came_from_it()
    {
        var (_, files) = await RunAsync();
        await RunAsync(); // what is reused adds nothing

        var lineage = await client.AskAsync($"api/artifacts/{files["copy"]}/lineage");
        var root = await client.AskAsync($"api/artifacts/{files["make"]}/lineage");

        Assert.Equal(["again", "copy", "make"], lineage.GetProperty("stages").All("stage").Order());
        Assert.Equal(
            new[] { files["make"], files["copy"], files["again"] }.Order(), lineage.GetProperty("artifacts").All("hash").Order());
        Assert.Equal(
            new[] { $"again > {files["again"]}", $"copy > {files["copy"]}", $"make > {files["make"]}", $"{files["copy"]} > again", $"{files["make"]} > copy" }
                .Order(StringComparer.Ordinal),
            lineage.GetProperty("edges").EnumerateArray()
                .Select(edge => $"{Name(edge.GetProperty("from").GetString()!)} > {Name(edge.GetProperty("to").GetString()!)}").Order(StringComparer.Ordinal));
        Assert.False(lineage.GetProperty("truncated").GetBoolean());
        Assert.Equal(["again", "aside", "copy", "make"], root.GetProperty("stages").All("stage").Order());
    }

    [Fact]
    public async Task Lineage_is_bounded_and_outlives_its_artifacts()
    {
        var (_, files) = await RunAsync();
        server.Artifacts.Remove(files["aside"]);

        var bounded = await new ArtifactLineage(server.Engine.Database).OfAsync(files["make"], most: 2, Cancellation);
        var gone = await client.AskAsync($"api/artifacts/{files["aside"]}/lineage");

        Assert.Equal(2, bounded.Stages.Count);
        Assert.True(bounded.Truncated);
        Assert.Equal(["aside", "make"], gone.GetProperty("stages").All("stage").Order());
        Assert.Contains("False", gone.GetProperty("artifacts").All("here"));
    }

    [Fact]
    public async Task An_archive_holds_every_file_as_it_is()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 7, ("config.json", 20), ("part/weights", 3_000_000), ("empty", 0));

        using var answer = await client.GetAsync($"api/artifacts/{hash}/archive", Cancellation);
        var bytes = await answer.Content.ReadAsByteArrayAsync(Cancellation);
        using var archive = new ZipArchive(new MemoryStream(bytes), ZipArchiveMode.Read);
        var folder = await server.Artifacts.OpenAsync(hash, Cancellation);

        Assert.Equal("application/zip", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal($"{hash[7..19]}.zip", answer.Content.Headers.ContentDisposition?.FileName);
        Assert.Equal(["config.json", "empty", "part/weights"], archive.Entries.Select(entry => entry.FullName));
        foreach (var entry in archive.Entries)
        {
            using var content = new MemoryStream();
            await using (var stream = await entry.OpenAsync(Cancellation))
                await stream.CopyToAsync(content, Cancellation);
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder, entry.FullName), Cancellation), content.ToArray());
        }

        Assert.Equal(bytes, await client.GetByteArrayAsync($"api/artifacts/{hash}/archive", Cancellation));
    }

    [Theory]
    [InlineData("info")]
    [InlineData("lineage")]
    [InlineData("archive")]
    public async Task What_is_not_there_and_what_is_no_name_is_said(string view)
    {
        var unknown = $"sha256:{new string('0', 64)}";
        using var absent = await client.GetAsync($"api/artifacts/{unknown}/{view}", Cancellation);
        using var nameless = await client.GetAsync($"api/artifacts/nothing/{view}", Cancellation);

        await Problem.IsAsync(absent, HttpStatusCode.NotFound, unknown, "is not here");
        await Problem.IsAsync(nameless, HttpStatusCode.BadRequest, "'nothing' names no artifact");
    }

    [Fact]
    public async Task A_damaged_artifact_is_no_archive()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 8, ("weights", 3000));
        await TestServer.DamageAsync(server.Artifacts, hash, "weights");

        using var answer = await client.GetAsync($"api/artifacts/{hash}/archive", Cancellation);

        await Problem.IsAsync(answer, HttpStatusCode.InternalServerError, hash, "is damaged");
    }

    private async Task<(Guid Run, Dictionary<string, string> Files)> RunAsync()
    {
        var id = await client.StartAsync(chain);
        var run = await server.Engine.WaitAsync(id, Cancellation);
        return (id, run.Stages.ToDictionary(stage => stage.Id, stage => stage.Outputs!.Value.GetProperty("file").GetString()!));
    }

    /// <summary>Of a stage without its run.</summary>
    private static string Name(string node) => node.Split('/')[^1];
}
