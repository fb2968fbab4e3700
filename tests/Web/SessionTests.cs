using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Web;

namespace Pipelines.Tests.Web;

/// <summary>Tokens that end, browsers that log in, and what each of them leaves behind.</summary>
public sealed class SessionTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_is_kept_as_its_hash_and_its_use_is_noted_once_a_minute()
    {
        await using var server = await TestServer.StartAsync(fresh);
        var token = await AddAsync(server, Role.Viewer, out var name);
        var client = server.Client(token);

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("api/session", Cancellation)).StatusCode);
        var used = await FindAsync(server, name);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("api/session", Cancellation)).StatusCode);
        var again = await FindAsync(server, name);
        await ChangeAsync($"UPDATE pipelines.tokens SET used_at = now() - interval '61 seconds' WHERE name = '{name}'");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("api/session", Cancellation)).StatusCode);
        var later = await FindAsync(server, name);

        Assert.Matches("^pl_[A-Za-z0-9_-]{43}$", token);
        Assert.NotNull(used.Used);
        Assert.Equal(used.Used, again.Used);
        Assert.True(later.Used >= used.Used);
        Assert.Equal(0, await ChangeAsync($"UPDATE pipelines.tokens SET used_at = now() WHERE position('{token}'::bytea in hash) > 0"));
    }

    [Fact]
    public async Task An_expired_and_a_revoked_token_are_worth_nothing()
    {
        await using var server = await TestServer.StartAsync(fresh);
        var expired = await AddAsync(server, Role.Admin, out var first, TimeSpan.FromDays(1));
        var revoked = await AddAsync(server, Role.Admin, out var second);
        Assert.Equal(HttpStatusCode.OK, (await server.Client(expired).GetAsync("api/tokens", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.Client(revoked).GetAsync("api/tokens", Cancellation)).StatusCode);

        await ChangeAsync($"UPDATE pipelines.tokens SET expires_at = now() WHERE name = '{first}'");
        await server.Engine.Tokens.RevokeAsync(second, Cancellation);

        foreach (var token in new[] { expired, revoked })
        {
            using var refused = await server.Client(token).GetAsync("api/tokens", Cancellation);
            await Problem.IsAsync(refused, HttpStatusCode.Unauthorized, "it has expired or was revoked");
        }

        var error = await Assert.ThrowsAsync<TokenException>(() => server.Engine.Tokens.RevokeAsync(second, Cancellation));
        Assert.Equal(TokenFault.Unknown, error.Fault);
    }

    [Fact]
    public async Task An_admin_gives_and_takes_tokens_and_sees_one_only_once()
    {
        await using var server = await TestServer.StartAsync(fresh);
        var admin = server.Client(await AddAsync(server, Role.Admin, out _));
        var name = $"kim-{Guid.NewGuid():N}";

        using var added = await admin.PostAsJsonAsync("api/tokens", new { name, role = "viewer", expires = "90d" }, Cancellation);
        using var taken = await admin.PostAsJsonAsync("api/tokens", new { name, role = "admin" }, Cancellation);
        using var wrong = await admin.PostAsJsonAsync("api/tokens", new { name = "x", role = "king" }, Cancellation);
        using var forever = await admin.PostAsJsonAsync("api/tokens", new { name = "x", role = "viewer", expires = "soon" }, Cancellation);
        using var nameless = await admin.PostAsJsonAsync("api/tokens", new { name = "a b", role = "viewer" }, Cancellation);
        var token = JsonElement.Parse(await added.Content.ReadAsStringAsync(Cancellation)).GetProperty("token").GetString()!;
        var list = await admin.GetStringAsync("api/tokens", Cancellation);
        using var session = await server.Client(token).GetAsync("api/session", Cancellation);
        using var revoked = await admin.DeleteAsync($"api/tokens/{name}", Cancellation);
        using var gone = await server.Client(token).GetAsync("api/session", Cancellation);

        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        Assert.Equal($$"""{"name":"{{name}}","role":"viewer","local":false}""", await session.Content.ReadAsStringAsync(Cancellation));
        Assert.DoesNotContain(token, list, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.Unauthorized), (revoked.StatusCode, gone.StatusCode));
        await Problem.IsAsync(taken, HttpStatusCode.Conflict, $"there is a token '{name}' already");
        await Problem.IsAsync(wrong, HttpStatusCode.BadRequest, "the body");
        await Problem.IsAsync(forever, HttpStatusCode.BadRequest, "expires is 'soon': expected a number and d, h or m");
        await Problem.IsAsync(nameless, HttpStatusCode.UnprocessableEntity, "the name is 'a b'");
    }

    [Fact]
    public async Task A_browser_logs_in_with_a_cookie_that_counts_only_beside_our_pages_header()
    {
        await using var server = await TestServer.StartAsync(fresh);
        var token = await AddAsync(server, Role.Operator, out var name);
        var browser = server.Client(token: null);

        using var login = await browser.PostAsJsonAsync("api/session", new { token }, Cancellation);
        var cookie = login.Headers.GetValues("Set-Cookie").Single();
        browser.DefaultRequestHeaders.Add("Cookie", cookie.Split(';')[0]);
        using var looks = await browser.GetAsync("api/session", Cancellation);
        using var forged = await browser.PutAsJsonAsync("api/definitions/forged", new { definition = new { }, revision = 0 }, Cancellation);
        browser.DefaultRequestHeaders.Add("X-Requested-With", "pipelines");
        using var saved = await browser.PutAsJsonAsync("api/definitions/ours", new { definition = new { }, revision = 0 }, Cancellation);
        using var logout = await browser.DeleteAsync("api/session", Cancellation);

        Assert.Matches("^pipelines-token=pl_[^;]+; path=/; samesite=strict; httponly$", cookie);
        Assert.Contains(name, await looks.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        await Problem.IsAsync(forged, HttpStatusCode.Forbidden, "expected X-Requested-With: pipelines");
        Assert.Equal(HttpStatusCode.OK, saved.StatusCode);
        Assert.StartsWith("pipelines-token=; expires=Thu, 01 Jan 1970", logout.Headers.GetValues("Set-Cookie").Single(), StringComparison.Ordinal);
        var ours = Assert.Single(await server.Engine.Definitions.ListAsync(Cancellation), one => one.Name is "ours" or "forged");
        Assert.Equal(("ours", name), (ours.Name, ours.UpdatedBy));
    }

    [Fact]
    public async Task Without_tokens_this_machine_may_everything_but_not_the_page_of_another_site()
    {
        await using var server = await TestServer.StartAsync(fresh, token: null);
        var client = server.Client(token: null);

        var session = await client.GetStringAsync("api/session", Cancellation);
        using var deleted = await client.DeleteAsync("api/definitions/none", Cancellation);
        client.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example");
        using var forged = await client.PostAsync("api/definitions/none/publish", null, Cancellation);
        using var login = await client.PostAsJsonAsync("api/session", new { token = "pl_x" }, Cancellation);

        Assert.Equal("""{"role":"admin","local":true}""", session);
        Assert.Equal(HttpStatusCode.NotFound, deleted.StatusCode);
        foreach (var refused in new[] { forged, login })
            await Problem.IsAsync(refused, HttpStatusCode.Forbidden, "https://elsewhere.example may not do this", "a browser must say that our own page asks");
    }

    [Fact]
    public async Task This_machine_needs_a_token_too_where_one_is_required()
    {
        await using var server = await TestServer.StartAsync(fresh, token: null, required: true);

        using var nobody = await server.Client(token: null).GetAsync("api/session", Cancellation);
        using var somebody = await server.Client(await AddAsync(server, Role.Viewer, out _)).GetAsync("api/session", Cancellation);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (nobody.StatusCode, somebody.StatusCode));
    }

    [Fact]
    public async Task Logins_are_counted_and_one_too_many_is_told_when_to_come_back()
    {
        await using var server = await TestServer.StartAsync(fresh, limits: new RequestLimits(LoginsPerMinute: 5));
        var client = server.Client(token: null);

        for (var i = 0; i < 5; i++)
        {
            using var wrong = await client.PostAsJsonAsync("api/session", new { token = $"pl_{i}" }, Cancellation);
            await Problem.IsAsync(wrong, HttpStatusCode.Unauthorized, "no token of this server");
        }

        using var limited = await client.PostAsJsonAsync("api/session", new { token = "pl_6" }, Cancellation);
        await Problem.IsAsync(limited, HttpStatusCode.TooManyRequests, "too many requests: try again in");
        Assert.InRange(limited.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
    }

    [Fact]
    public async Task One_token_that_asks_too_much_holds_up_no_other()
    {
        await using var server = await TestServer.StartAsync(fresh, limits: new RequestLimits(PerSecond: 1, Burst: 3));
        var (busy, calm) = (server.Client(await AddAsync(server, Role.Viewer, out _)), server.Client(await AddAsync(server, Role.Viewer, out _)));

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 20; i++)
        {
            using var answer = await busy.GetAsync("api/session", Cancellation);
            statuses.Add(answer.StatusCode);
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK], statuses.Take(3));
        Assert.Contains(HttpStatusCode.TooManyRequests, statuses);
        Assert.Equal(HttpStatusCode.OK, (await calm.GetAsync("api/session", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await busy.GetAsync("health", Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Who_changes_what_is_written_down_with_how_it_went_and_who_only_looks_is_not()
    {
        await using var server = await TestServer.StartAsync(fresh);
        await ChangeAsync("TRUNCATE pipelines.audit");
        var adminToken = await AddAsync(server, Role.Admin, out var admin);
        var (boss, viewer) = (server.Client(adminToken), server.Client(await AddAsync(server, Role.Viewer, out var looker)));

        await boss.PutAsJsonAsync("api/definitions/a b", new { definition = new { name = "a b" }, revision = 0 }, Cancellation);
        await boss.PostAsync("api/definitions/a%20b/publish", null, Cancellation);
        await viewer.DeleteAsync("api/definitions/a%20b", Cancellation);
        await boss.GetAsync("api/definitions", Cancellation);
        await boss.PostAsJsonAsync("api/schedules/preview", new { cron = "* * * * *" }, Cancellation);
        await server.Client("pl_nobody").DeleteAsync("api/definitions/x", Cancellation);
        await server.Client(token: null).PostAsJsonAsync("api/session", new { token = adminToken }, Cancellation);
        var lines = JsonElement.Parse(await boss.GetStringAsync("api/audit?limit=10", Cancellation)).EnumerateArray()
            .Select(line => $"{line.GetProperty("who").GetString()} {line.GetProperty("action").GetString()} {line.GetProperty("target").GetString()} {line.GetProperty("status").GetInt32()}");
        using var many = await boss.GetAsync("api/audit?limit=1001", Cancellation);

        Assert.Equal(
            [
                $"{admin} POST /api/session /api/session 200",
                $"{looker} DELETE /api/definitions/{{}} /api/definitions/a%20b 403",
                $"{admin} POST /api/definitions/{{}}/publish /api/definitions/a%20b/publish 422",
                $"{admin} PUT /api/definitions/{{}} /api/definitions/a%20b 200",
            ],
            lines);
        await Problem.IsAsync(many, HttpStatusCode.BadRequest, "limit is 1001: expected 1 to 1000");
    }

    private static Task<string> AddAsync(TestServer server, Role role, out string name, TimeSpan? lifetime = null)
    {
        var called = name = $"{role}-{Guid.NewGuid():N}";
        return GetAsync();

        async Task<string> GetAsync() => (await server.Engine.Tokens.AddAsync(called, role, lifetime, Cancellation)).Token;
    }

    private static async Task<TokenView> FindAsync(TestServer server, string name) =>
        (await server.Engine.Tokens.ListAsync(Cancellation)).Single(token => token.Name == name);

    private async Task<int> ChangeAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(fresh.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync(Cancellation);
    }
}
