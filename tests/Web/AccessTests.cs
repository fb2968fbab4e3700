using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Web;

namespace Pipelines.Tests.Web;

/// <summary>Who may do what, asked of every address that the server answers.</summary>
public sealed partial class AccessTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_address_has_a_role()
    {
        await using var server = await TestServer.StartAsync(fresh);

        var missing = Asked(server).Where(asked => !Access.TryFind(asked.Method, Access.Route(asked.Endpoint), out _))
            .Select(asked => $"{asked.Method} {Access.Route(asked.Endpoint)}");

        Assert.True(Asked(server).Count() > 20);
        Assert.Empty(missing);
    }

    [Fact]
    public async Task Every_address_refuses_whoever_has_a_lesser_role_and_names_the_one_that_is_needed()
    {
        await using var server = await TestServer.StartAsync(fresh);
        var tokens = await TokensAsync(server);

        foreach (var (method, endpoint) in Asked(server))
        {
            Assert.True(Access.TryFind(method, Access.Route(endpoint), out var least));
            using var nobody = await SendAsync(server.Client(token: null), method, endpoint);
            if (least is not null)
                Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
            foreach (var role in Enum.GetValues<Role>().Where(role => role < least))
            {
                using var refused = await SendAsync(server.Client(tokens[role]), method, endpoint);
                await Problem.IsAsync(refused, HttpStatusCode.Forbidden, $"needs the role {Security.Word(least!.Value)}", $"has {Security.Word(role)}");
            }

            if (least is { } enough)
            {
                using var allowed = await SendAsync(server.Client(tokens[enough]), method, endpoint);
                Assert.NotEqual(HttpStatusCode.Forbidden, allowed.StatusCode);
                Assert.NotEqual(HttpStatusCode.Unauthorized, allowed.StatusCode);
            }
        }
    }

    [Fact]
    public void A_viewer_may_not_start_a_run_and_what_nobody_thought_of_is_for_admins()
    {
        Assert.True(Access.TryFind("POST", "/api/runs", out var start));
        Assert.False(Access.TryFind("POST", "/api/unthought-of", out _));

        Assert.Equal(Role.Operator, start);
    }

    [Fact]
    public async Task Who_looks_may_look_and_check_but_not_save()
    {
        await using var server = await TestServer.StartAsync(fresh);
        var viewer = server.Client((await TokensAsync(server))[Role.Viewer]);

        using var list = await viewer.GetAsync("api/definitions", Cancellation);
        using var preview = await viewer.PostAsJsonAsync("api/schedules/preview", new { cron = "0 2 * * *" }, Cancellation);
        using var save = await viewer.PutAsJsonAsync("api/definitions/w", new { definition = new { }, revision = 0 }, Cancellation);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (list.StatusCode, preview.StatusCode));
        await Problem.IsAsync(save, HttpStatusCode.Forbidden, "PUT /api/definitions/w needs the role operator: the token 'viewer' has viewer");
        Assert.Empty(await server.Engine.Definitions.ListAsync(Cancellation));
    }

    [Fact]
    public async Task The_shared_token_is_an_operators()
    {
        await using var server = await TestServer.StartAsync(fresh);
        var client = server.Client();

        using var begun = await client.PostAsync("api/artifacts/uploads", null, Cancellation);
        using var tokens = await client.GetAsync("api/tokens", Cancellation);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, begun.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, tokens.StatusCode);
    }

    private static IEnumerable<(string Method, RouteEndpoint Endpoint)> Asked(TestServer server) =>
        from endpoint in server.Endpoints
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        select (method, endpoint);

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string method, RouteEndpoint endpoint)
    {
        var path = Parameter().Replace(endpoint.RoutePattern.RawText!, found => found.Value switch
        {
            var id when id.EndsWith(":guid}", StringComparison.Ordinal) => $"{Guid.Empty}",
            var number when number.EndsWith(":int}", StringComparison.Ordinal) => "1",
            _ => "x",
        });
        return client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    private static async Task<Dictionary<Role, string>> TokensAsync(TestServer server)
    {
        var tokens = new Dictionary<Role, string>();
        foreach (var role in Enum.GetValues<Role>())
        {
            var name = Security.Word(role);
            if ((await server.Engine.Tokens.ListAsync(Cancellation)).Any(token => token.Name == name && token.Revoked is null))
                await server.Engine.Tokens.RevokeAsync(name, Cancellation);
            tokens[role] = (await server.Engine.Tokens.AddAsync(name, role, null, Cancellation)).Token;
        }

        return tokens;
    }

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}
