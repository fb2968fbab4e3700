using System.Net;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Web;

public sealed class RunsApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private const string Two = """
        [{ "id": "one", "kind": "toy.number", "parameters": { "value": 1 } },
         { "id": "sum", "kind": "toy.add", "inputs": { "a": "one.value", "b": "one.value" } }]
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
    public async Task A_run_is_started_and_shows_its_stages_and_its_document()
    {
        var id = await client.StartAsync(Two, more: """, "values": {} """);
        await server.Engine.WaitAsync(id, Cancellation);

        var run = await client.AskAsync($"api/runs/{id}");

        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        Assert.Equal("toy.add", run.GetProperty("definition").GetProperty("stages")[1].GetProperty("kind").GetString());
        Assert.Equal(["one", "sum"], run.GetProperty("stages").All("id"));
        Assert.Equal(2, run.GetProperty("stages")[1].GetProperty("outputs").GetProperty("value").GetDouble());
        Assert.True(run.GetProperty("finished").GetDateTimeOffset() >= run.GetProperty("created").GetDateTimeOffset());
    }

    [Fact]
    public async Task A_faulty_workflow_is_refused_with_every_fault_at_its_place()
    {
        var before = (await client.AskAsync("api/runs?limit=500")).GetArrayLength();
        using var refused = await client.SendAsync("api/runs", """
            { "definition": { "name": "toy", "parameters": { "x": { "type": "number" } }, "stages": [
                { "id": "group", "stages": [{ "id": "sum", "kind": "toy.add", "inputs": { "a": "gone.value" }, "when": "sum +" }] },
                { "id": "who", "kind": "toy.nobody" }, { "id": "one", "kind": "toy.number", "parameters": { "valu": 1 } }] } }
            """);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        var errors = (await refused.ReadAsync()).Errors;
        Assert.Equal(
            [" parameters.x", "group/sum inputs.a", "group/sum inputs.b", "group/sum when", "one parameters.valu", "who kind"],
            errors.Select(error => $"{error.Stage} {error.Field}").Order(StringComparer.Ordinal));
        Assert.Equal(before, (await client.AskAsync("api/runs?limit=500")).GetArrayLength());
    }

    [Theory]
    [InlineData("""{ "definition": { "name": "toy", "stagges": [] } }""", HttpStatusCode.UnprocessableEntity, "unknown property 'stagges'")]
    [InlineData("""{ "definitions": {} }""", HttpStatusCode.BadRequest, "unknown property 'definitions'")]
    [InlineData("""{ "definition": { "name" """, HttpStatusCode.BadRequest, "line 1")]
    [InlineData("""{ "values": {} }""", HttpStatusCode.BadRequest, "expected a definition, or the name of a published one")]
    [InlineData("""{ "name": "nobody" }""", HttpStatusCode.NotFound, "there is no definition 'nobody'")]
    [InlineData("""{ "name": "nobody", "version": 3 }""", HttpStatusCode.NotFound, "there is no definition 'nobody'")]
    [InlineData("""{ "name": "no\u0000body" }""", HttpStatusCode.BadRequest, "zero character")]
    public async Task A_request_that_cannot_be_understood_says_why(string json, HttpStatusCode status, string said)
    {
        using var refused = await client.SendAsync("api/runs", json);

        await Problem.IsAsync(refused, status, said);
    }

    [Fact]
    public async Task A_published_version_is_started_by_its_name_and_the_last_without_a_number()
    {
        for (var version = 1; version <= 2; version++)
        {
            await client.PutAsync("api/definitions/nightly", $$"""
                { "revision": {{version - 1}}, "definition": { "name": "nightly", "stages": [
                  { "id": "one", "kind": "toy.number", "parameters": { "value": {{version}} } } ] } }
                """);
            await client.AskAsync("api/definitions/nightly/publish", $$"""{ "revision": {{version}} }""");
        }

        var last = (await client.AskAsync("api/runs", """{ "name": "nightly", "values": {} }""", HttpStatusCode.Created)).GetProperty("id").GetGuid();
        var first = (await client.AskAsync("api/runs", """{ "name": "nightly", "version": 1, "values": {} }""", HttpStatusCode.Created)).GetProperty("id").GetGuid();

        Assert.Equal(2, (await server.Engine.WaitAsync(last, Cancellation)).Stages[0].Outputs!.Value.GetProperty("value").GetDouble());
        Assert.Equal(1, (await server.Engine.WaitAsync(first, Cancellation)).Stages[0].Outputs!.Value.GetProperty("value").GetDouble());
        Assert.Equal(["1", "2"], (await client.AskAsync("api/runs?name=nightly")).All("version"));
    }

    [Fact]
    public async Task A_second_start_of_a_key_gives_the_first_run_and_another_workflow_of_that_key_is_refused()
    {
        var key = """, "key": "once" """;
        var first = await client.StartAsync(Two, more: key);

        Assert.Equal(first, await client.StartAsync(Two, more: key));
        using var other = await client.SendAsync("api/runs", $$"""{ "definition": { "name": "other", "stages": {{Two}} }{{key}} }""");
        await Problem.IsAsync(other, HttpStatusCode.Conflict, "another workflow", "once");
    }

    [Fact]
    public async Task A_stage_that_no_worker_can_run_is_said_before_anything_starts()
    {
        using var refused = await client.SendAsync("api/runs", """
            { "definition": { "name": "toy", "stages": [{ "id": "one", "kind": "toy.number", "resources": { "gpu": 1 } }] } }
            """);

        await Problem.IsAsync(refused, HttpStatusCode.UnprocessableEntity, "stage 'one' needs a worker that serves gpu");
    }

    [Fact]
    public async Task Runs_are_listed_in_pages_with_counts_of_their_stages()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++)
            ids.Insert(0, await client.StartAsync(Two, name: $"page_{i % 2}"));
        foreach (var id in ids)
            await server.Engine.WaitAsync(id, Cancellation);

        var first = await client.AskAsync("api/runs?name=PAGE_&limit=2");
        var second = await client.AskAsync($"api/runs?name=page_&limit=2&before={first[1].GetProperty("id")}");
        var third = await client.AskAsync($"api/runs?name=page_&limit=2&before={second[1].GetProperty("id")}");

        Assert.Equal(ids.Select(id => $"{id}"), first.All("id").Concat(second.All("id")).Concat(third.All("id")));
        Assert.Equal("""{"succeeded":2}""", first[0].GetProperty("counts").GetRawText());
        Assert.False(first[0].TryGetProperty("stages", out _));
        Assert.Equal(["page_1", "page_1"], (await client.AskAsync("api/runs?name=page_1&state=succeeded")).All("name"));
        Assert.Empty((await client.AskAsync("api/runs?name=page_1&state=failed")).EnumerateArray());
        Assert.Empty((await client.AskAsync("api/runs?name=page%25")).EnumerateArray());
    }

    [Theory]
    [InlineData("api/runs?limit=0", HttpStatusCode.BadRequest, "limit is 0: expected 1 to 500")]
    [InlineData("api/runs?limit=many", HttpStatusCode.BadRequest, "limit is 'many'")]
    [InlineData("api/runs?state=done", HttpStatusCode.BadRequest, "state is 'done': expected running, succeeded, failed, cancelled")]
    [InlineData("api/runs?before=01a1fd65-f69d-757e-bf4d-e20d97fc6803", HttpStatusCode.NotFound, "there is no run 01a1fd65")]
    [InlineData("api/runs/01a1fd65-f69d-757e-bf4d-e20d97fc6803", HttpStatusCode.NotFound, "there is no run 01a1fd65")]
    [InlineData("api/runs/01a1fd65-f69d-757e-bf4d-e20d97fc6803/logs", HttpStatusCode.NotFound, "there is no run 01a1fd65")]
    [InlineData("api/runs/01a1fd65-f69d-757e-bf4d-e20d97fc6803/stages/x/metrics", HttpStatusCode.NotFound, "with a stage 'x'")]
    [InlineData("api/runs/nothing", HttpStatusCode.NotFound, "there is nothing at /api/runs/nothing")]
    [InlineData("api/runs/compare?ids=x", HttpStatusCode.BadRequest, "'x' is no run's id")]
    [InlineData("api/runs/compare?ids=01a1fd65-f69d-757e-bf4d-e20d97fc6803", HttpStatusCode.NotFound, "there is no run 01a1fd65")]
    public async Task What_is_asked_wrongly_is_answered_with_what_is_wrong(string address, HttpStatusCode status, string said)
    {
        using var response = await client.GetAsync(address, Cancellation);

        await Problem.IsAsync(response, status, said);
    }

    [Fact]
    public async Task A_run_is_cancelled_once()
    {
        var id = await client.StartAsync("""[{ "id": "wait", "kind": "toy.door", "parameters": { "name": "api-cancel" } }]""");
        await Door.Named("api-cancel").BegunAsync();

        using var cancelled = await client.PostAsync(new Uri($"api/runs/{id}/cancel", UriKind.Relative), null, Cancellation);
        Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
        Assert.Equal(RunState.Cancelled, (await server.Engine.WaitAsync(id, Cancellation)).State);
        using var again = await client.PostAsync(new Uri($"api/runs/{id}/cancel", UriKind.Relative), null, Cancellation);
        await Problem.IsAsync(again, HttpStatusCode.Conflict, "has cancelled: nothing is left to cancel");
        using var unknown = await client.PostAsync(new Uri($"api/runs/{Guid.Empty}/cancel", UriKind.Relative), null, Cancellation);
        await Problem.IsAsync(unknown, HttpStatusCode.NotFound, "there is no run");
    }

    [Fact]
    public async Task A_run_is_run_again_from_a_stage_after_a_look_at_what_that_does()
    {
        var id = await client.StartAsync(Two);
        await server.Engine.WaitAsync(id, Cancellation);

        var looked = await client.AskAsync($"api/runs/{id}/reset", """{ "from": "sum", "dryRun": true }""");
        Assert.Equal(1, (await server.Engine.Runs.FindAsync(id, Cancellation))!.Stages[1].Attempt);
        var done = await client.AskAsync($"api/runs/{id}/reset", """{ "from": "sum" }""");
        var run = await server.Engine.WaitAsync(id, Cancellation);

        Assert.Equal(looked.GetRawText(), done.GetRawText());
        Assert.Equal("""{"willRun":["sum"],"kept":["one"],"thrownAway":["sum"],"goesOn":{}}""", done.GetRawText());
        Assert.Equal([1, 2], run.Stages.Select(stage => stage.Attempt));
    }

    [Theory]
    [InlineData("""{ "from": "nobody" }""", HttpStatusCode.Conflict, "no stage 'nobody'")]
    [InlineData("{}", HttpStatusCode.Conflict, "nothing is left to resume")]
    [InlineData("""{ "from": "one", "values": { "x": 1 } }""", HttpStatusCode.UnprocessableEntity, "no parameter 'x'")]
    public async Task Running_again_what_cannot_be_says_why(string json, HttpStatusCode status, string said)
    {
        var id = await client.StartAsync(Two);
        await server.Engine.WaitAsync(id, Cancellation);

        using var refused = await client.SendAsync($"api/runs/{id}/reset", json);

        await Problem.IsAsync(refused, status, said);
    }

    [Fact]
    public async Task What_is_no_json_or_comes_from_a_page_from_elsewhere_changes_nothing()
    {
        using var form = new StringContent("{}", Encoding.UTF8, "text/plain");
        using var refused = await client.PostAsync(new Uri("api/runs", UriKind.Relative), form, Cancellation);
        await Problem.IsAsync(refused, HttpStatusCode.UnsupportedMediaType);

        using var request = new HttpRequestMessage(HttpMethod.Post, $"api/runs/{Guid.Empty}/cancel");
        request.Headers.Add("Origin", "https://elsewhere.example");
        using var foreign = await client.SendAsync(request, Cancellation);
        await Problem.IsAsync(foreign, HttpStatusCode.Forbidden, "https://elsewhere.example may not do this");

        using var own = new HttpRequestMessage(HttpMethod.Post, $"api/runs/{Guid.Empty}/cancel");
        own.Headers.Add("Origin", server.Address.GetLeftPart(UriPartial.Authority));
        own.Headers.Add("X-Requested-With", "pipelines");
        using var answered = await client.SendAsync(own, Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, answered.StatusCode);
    }
}
