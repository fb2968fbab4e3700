using System.Net;
using Pipelines.Tests.Fixtures;
using Pipelines.Web;

namespace Pipelines.Tests.Web;

public sealed class DesignerFilesTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-designer-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_page_is_asked_for_again_and_what_has_a_hash_in_its_name_is_kept()
    {
        Directory.CreateDirectory(Path.Combine(folder, "assets"));
        await File.WriteAllTextAsync(Path.Combine(folder, "index.html"), "<title>the page</title>", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "assets", "index-abc.js"), "1", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "..", "beside-the-designer"), "secret", Cancellation);
        await using var server = await TestServer.StartAsync(fresh, designer: folder);
        var client = server.Client(token: null);

        using var page = await client.GetAsync("", Cancellation);
        using var script = await client.GetAsync("assets/index-abc.js", Cancellation);
        using var api = await client.GetAsync("health", Cancellation);
        using var outside = await client.GetAsync("assets/..%2f..%2fbeside-the-designer", Cancellation);
        using var unknown = await server.Client().GetAsync("runs/1", Cancellation);

        Assert.Equal("<title>the page</title>", await page.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.True(page.Headers.CacheControl?.NoCache);
        Assert.Equal("text/javascript", script.Content.Headers.ContentType?.MediaType);
        Assert.Contains("immutable", $"{script.Headers.CacheControl}", StringComparison.Ordinal);
        Assert.All(new[] { page, script }, file =>
        {
            var policy = file.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        });
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", api.Headers.GetValues("Content-Security-Policy").Single());
        Assert.NotEqual(HttpStatusCode.OK, outside.StatusCode);
        await Problem.IsAsync(unknown, HttpStatusCode.NotFound, "there is nothing at /runs/1");
    }

    [Fact]
    public async Task The_designer_that_was_built_is_beside_the_program_and_its_page_has_what_it_names()
    {
        Assert.SkipUnless(Directory.Exists(DesignerFiles.Beside), "the designer was not built: ./pipelines test builds it");
        await using var server = await TestServer.StartAsync(fresh, designer: DesignerFiles.Beside);
        var client = server.Client(token: null);

        var page = await client.GetStringAsync("", Cancellation);

        var named = System.Text.RegularExpressions.Regex.Matches(page, @"(?:src|href)=""\./([^""]+)""").Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(2, named.Count);
        foreach (var file in named)
        {
            using var answer = await client.GetAsync(file, Cancellation);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }
}
