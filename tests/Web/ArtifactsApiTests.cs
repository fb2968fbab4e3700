using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Pipelines.Storage.Artifacts;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Web;

public sealed class ArtifactsApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private TestServer server = null!;
    private HttpClient client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(fresh);
        client = server.Client();
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Gives_the_list_of_files_as_the_bytes_that_the_hash_is_of()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 1, ("config.json", 20), ("part/weights", 3000));

        var list = await client.GetByteArrayAsync($"api/artifacts/{hash}", Cancellation);
        using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"api/artifacts/{hash}"), Cancellation);

        Assert.Equal(hash, Manifest.Hash(list));
        Assert.Equal(["config.json", "part/weights"], Manifest.Read(list).Files.Select(file => file.Name));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
    }

    [Fact]
    public async Task Gives_files_in_whole_and_in_part_with_their_hash_as_tag()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 2, ("part/we ights%2f", 100_000));
        var bytes = await File.ReadAllBytesAsync(Path.Combine(await server.Artifacts.OpenAsync(hash, Cancellation), "part/we ights%2f"), Cancellation);
        var address = $"api/artifacts/{hash}/files/part/{Uri.EscapeDataString("we ights%2f")}";

        using var whole = await client.GetAsync(address, Cancellation);
        using var part = await client.SendAsync(Ranged(address, 99_990, whole.Headers.ETag!), Cancellation);
        using var other = await client.SendAsync(Ranged(address, 99_990, new EntityTagHeaderValue("\"another\"")), Cancellation);
        using var beyond = await client.SendAsync(Ranged(address, 100_001, whole.Headers.ETag!), Cancellation);

        Assert.Equal(bytes, await whole.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.Equal($"\"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))}\"", whole.Headers.ETag!.Tag);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(bytes[99_990..], await part.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
    }

    [Theory]
    [InlineData("..%2f..%2f..%2fsecret")]
    [InlineData("%2e%2e/%2e%2e/secret")]
    [InlineData("../../../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("%2fetc%2fpasswd")]
    [InlineData("part")]
    [InlineData("artifact.json")]
    [InlineData("unknown")]
    [InlineData("")]
    public async Task Gives_nothing_that_is_not_on_the_list(string name)
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 3, ("weights", 20), ("part/weights", 20));
        await File.WriteAllTextAsync(Path.Combine(fresh.DataFolder, "secret"), "the secret", Cancellation);

        // As it is: a client of the base library would tidy the path up.
        var answer = await RawAsync($"GET /api/artifacts/{hash}/files/{name} HTTP/1.1");

        Assert.DoesNotContain("the secret", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
        Assert.Matches("^HTTP/1.1 40[04] ", answer);
        Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sha256:0000000000000000000000000000000000000000000000000000000000000000", HttpStatusCode.NotFound)]
    [InlineData("sha256:..", HttpStatusCode.BadRequest)]
    [InlineData("nothing", HttpStatusCode.BadRequest)]
    public async Task Says_what_is_not_there_and_what_is_no_name(string hash, HttpStatusCode status)
    {
        using var list = await client.GetAsync($"api/artifacts/{hash}", Cancellation);
        using var file = await client.GetAsync($"api/artifacts/{hash}/files/weights", Cancellation);
        using var removed = await client.DeleteAsync($"api/artifacts/{hash}", Cancellation);

        await Problem.IsAsync(list, status, hash);
        await Problem.IsAsync(file, status, hash);
        await Problem.IsAsync(removed, status, hash);
    }

    [Fact]
    public async Task Lists_no_folders_and_has_no_other_pages()
    {
        foreach (var path in new[] { "", "api", "api/artifacts", "index.html", "swagger" })
        {
            using var response = await client.GetAsync(path, Cancellation);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        }
    }

    [Fact]
    public async Task Refuses_a_damaged_artifact_and_names_the_file()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 4, ("config.json", 20), ("weights", 3000));
        await TestServer.DamageAsync(server.Artifacts, hash, "weights");

        using var list = await client.GetAsync($"api/artifacts/{hash}", Cancellation);
        using var file = await client.GetAsync($"api/artifacts/{hash}/files/weights", Cancellation);

        await Problem.IsAsync(list, HttpStatusCode.InternalServerError, hash, "is damaged", "weights: expected sha256");
        await Problem.IsAsync(file, HttpStatusCode.InternalServerError, hash, "is damaged", "weights: expected sha256");
    }

    [Fact]
    public async Task Takes_an_artifact_away()
    {
        var hash = await TestServer.MakeAsync(server.Artifacts, 5, ("weights", 20));

        using var removed = await client.DeleteAsync($"api/artifacts/{hash}", Cancellation);

        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.False(server.Artifacts.Has(hash));
    }

    private static HttpRequestMessage Ranged(string address, long from, EntityTagHeaderValue tag)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Range = new RangeHeaderValue(from, null);
        request.Headers.IfRange = new RangeConditionHeaderValue(tag);
        return request;
    }

    private async Task<string> RawAsync(string request)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(server.Address.Host, server.Address.Port, Cancellation);
        await using var stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"{request}\r\nHost: {server.Address.Authority}\r\nAuthorization: Bearer {TestServer.Token}\r\nConnection: close\r\n\r\n"), Cancellation);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Cancellation);
    }
}
