using System.Net;
using Pipelines.Tests.Fixtures;
using Pipelines.Web;
using Pipelines.Workflows;

namespace Pipelines.Tests.Web;

public sealed class SecurityTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("a-token-that-nobody-guessed")]
    [InlineData("a-token-that-nobody-guesses-")]
    [InlineData("A-TOKEN-THAT-NOBODY-GUESSES")]
    public async Task Answers_nobody_without_the_token_and_writes_none_down(string? token)
    {
        var logs = new Logs();
        await using var server = await TestServer.StartAsync(fresh, logs: logs);
        var hash = await TestServer.MakeAsync(server.Artifacts, 1, ("weights", 20));
        var client = server.Client(token);

        foreach (var (method, path) in new[]
        {
            (HttpMethod.Get, $"api/artifacts/{hash}"), (HttpMethod.Get, $"api/artifacts/{hash}/files/weights"),
            (HttpMethod.Delete, $"api/artifacts/{hash}"), (HttpMethod.Post, "api/artifacts/uploads"), (HttpMethod.Get, "api/unknown"),
        })
        {
            using var response = await client.SendAsync(new HttpRequestMessage(method, path), Cancellation);
            await Problem.IsAsync(response, HttpStatusCode.Unauthorized, "token is missing or is not the server's");
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        }

        Assert.True(server.Artifacts.Has(hash));
        Assert.NotEmpty(logs.Text);
        Assert.DoesNotContain("guess", logs.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_worker_with_the_wrong_token_is_told_so_without_it()
    {
        var logs = new Logs();
        await using var server = await TestServer.StartAsync(fresh);
        var hash = await TestServer.MakeAsync(server.Artifacts, 1, ("weights", 20));
        var remote = server.Remote(token: "another-token-of-mine", logs: logs);

        var opened = await Assert.ThrowsAsync<ArtifactException>(() => remote.OpenAsync(hash, Cancellation));
        var made = await Assert.ThrowsAsync<ArtifactException>(() => TestServer.MakeAsync(remote, 2, ("weights", 20)));

        Assert.All([opened, made], error =>
        {
            Assert.Contains($"{server.Address} refuses: the token is missing or is not the server's", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("another-token", error.ToString(), StringComparison.Ordinal);
        });
        Assert.DoesNotContain("another-token", logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_needs_no_token_and_says_nothing()
    {
        await using var server = await TestServer.StartAsync(fresh);

        using var response = await server.Client(token: null).GetAsync("health", Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("", await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Without_a_token_it_answers_only_to_the_names_of_this_machine()
    {
        await using var server = await TestServer.StartAsync(fresh, token: null);
        var client = server.Client(token: null);
        using var local = await client.GetAsync("api/artifacts/x", Cancellation);
        client.DefaultRequestHeaders.Host = "rebound.example";
        using var foreign = await client.GetAsync("api/artifacts/x", Cancellation);

        await Problem.IsAsync(local, HttpStatusCode.BadRequest, "'x' names no artifact");
        await Problem.IsAsync(foreign, HttpStatusCode.MisdirectedRequest, "answers only to localhost");
    }

    [Fact]
    public async Task Does_not_listen_beyond_this_machine_without_a_token()
    {
        await using var server = await TestServer.StartAsync(fresh);

        await Assert.ThrowsAsync<ArgumentException>(() => PipelinesServer.StartAsync(
            server.Engine, new ServerOptions { Listen = new IPEndPoint(IPAddress.Any, 0) }, Cancellation));
    }
}
