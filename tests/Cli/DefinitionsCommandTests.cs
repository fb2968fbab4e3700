using System.Net;
using System.Text.Json;
using Pipelines.Tests.Fixtures;
using Pipelines.Web;

namespace Pipelines.Tests.Cli;

/// <summary>What is published, run by name, and who may ask the server, with the real program.</summary>
public sealed class DefinitionsCommandTests(FreshDatabase database) : IClassFixture<FreshDatabase>, IDisposable
{
    private const string Workflow = """
        {
          "name": "synthetic", "description": "text that was made up",
          "parameters": { "length": { "type": "integer" } },
          "stages": [
            { "id": "make", "kind": "data.synthetic", "parameters": { "characters": "${length}", "evaluationCharacters": 1000 } }
          ]
        }
        """;

    private readonly Place place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task A_file_is_published_run_by_its_name_scheduled_and_exported()
    {
        place.Write("w.json", Workflow);
        place.Write("bad.json", """{"name": "bad", "stages": [{"id": "a", "kind": "data.nothing"}]}""");

        var none = await RunAsync("definitions", "list");
        var published = await RunAsync("definitions", "publish", "w.json");
        var again = await RunAsync("definitions", "publish", "w.json");
        var bad = await RunAsync("definitions", "publish", "bad.json");
        var listed = await RunAsync("definitions", "list");
        var shown = await RunAsync("definitions", "show", "synthetic");
        var exported = await RunAsync("definitions", "export", "synthetic", "--version", "1");
        var ran = await RunAsync("run", "synthetic@1", "--set", "length=2000");
        var unset = await RunAsync("run", "synthetic");
        var unknown = await RunAsync("run", "synthetik");
        var later = await RunAsync("run", "synthetic@2");
        var scheduled = await RunAsync("schedule", "add", "nightly", "--definition", "synthetic", "--cron", "0 2 * * *", "--set", "length=2000");
        var neither = await RunAsync("schedule", "add", "nightly", "--cron", "0 2 * * *");

        Assert.Contains("no definitions yet", none.Output);
        Assert.Contains("synthetic@1 is published: pipelines run synthetic@1", published.Output);
        Assert.Contains("synthetic@1 is published", again.Output);
        Refusal.Is(bad, "'bad' has 1 fault and is not published", "a: no activity of kind 'data.nothing'");
        Assert.Matches("synthetic +1 +", listed.Output);
        Assert.Contains("text that was made up", listed.Output);
        Assert.Contains("version 1 is the latest", shown.Output);
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Workflow), JsonElement.Parse(exported.Output)));
        Assert.Equal(0, ran.Code);
        Refusal.Is(unset, "synthetic@1: 1 fault", "parameter 'length' must be set");
        Refusal.Is(unknown, "there is no definition 'synthetik' (did you mean 'synthetic'?)");
        Refusal.Is(later, "'synthetic' has no version 2: the latest is 1");
        Assert.Contains("nightly: synthetic, next", scheduled.Output);
        Refusal.Is(neither, "expected one of --file and --definition");
    }

    [Fact]
    public async Task A_token_that_is_made_at_the_command_line_opens_the_server_until_it_is_revoked()
    {
        var added = await RunAsync("token", "add", "kim", "--role", "operator", "--expires", "90d");
        var token = added.Output.Trim();
        await using var engine = await database.OpenAsync(new Pipelines.Workflows.Catalog());
        var options = new ServerOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), RequireToken = true };
        await using var server = await PipelinesServer.StartAsync(engine, options, TestContext.Current.CancellationToken);
        using var client = new HttpClient { BaseAddress = server.Address };
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");

        using var publishes = await client.PostAsync("api/definitions/none/publish", null, TestContext.Current.CancellationToken);
        var audit = await RunAsync("audit", "--limit", "1");
        var listed = await RunAsync("token", "list");
        var revoked = await RunAsync("token", "revoke", "kim");
        using var refused = await client.GetAsync("api/session", TestContext.Current.CancellationToken);
        var king = await RunAsync("token", "add", "x", "--role", "king");
        var soon = await RunAsync("token", "add", "x", "--role", "viewer", "--expires", "soon");
        var nobody = await RunAsync("token", "revoke", "kim");

        Assert.Equal(HttpStatusCode.NotFound, publishes.StatusCode);
        Assert.Matches("kim +404 +POST +/api/definitions/none/publish", audit.Output);
        Assert.Matches("kim +operator", listed.Output);
        Assert.DoesNotContain(token, listed.Output, StringComparison.Ordinal);
        Assert.Contains("kim is revoked", revoked.Output);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Refusal.Is(king, "--role king: expected viewer, operator, admin");
        Refusal.Is(soon, "--expires soon: expected a number and d, h or m");
        Refusal.Is(nobody, "there is no token 'kim'");
    }

    private Task<Ended> RunAsync(params string[] arguments) => place.RunAsync(database.ConnectionString, arguments);
}
