using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Web;

public sealed class DefinitionsApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_draft_is_saved_published_changed_compared_and_deleted()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        var name = Name();

        Assert.Equal("""{"revision":1}""", await SaveAsync(client, name, Document(name, 1), 0));
        var before = await GetAsync(client, $"api/definitions/{name}");
        Assert.Equal("""{"version":1}""", await PublishAsync(client, name, 1));
        Assert.Equal("""{"version":1}""", await PublishAsync(client, name, 1));
        Assert.Equal("""{"revision":2}""", await SaveAsync(client, name, Document(name, 2), 1));
        var after = await GetAsync(client, $"api/definitions/{name}");
        var listed = (await GetAsync(client, "api/definitions")).EnumerateArray().Single(one => one.GetProperty("name").GetString() == name);
        var version = await GetAsync(client, $"api/definitions/{name}/versions/1");
        var difference = await GetAsync(client, $"api/definitions/{name}/diff?from=1&to=draft");
        using var deleted = await client.DeleteAsync($"api/definitions/{name}", Cancellation);
        using var gone = await client.GetAsync($"api/definitions/{name}", Cancellation);
        var kept = await GetAsync(client, $"api/definitions/{name}/versions/1");

        Assert.Equal(JsonValueKind.Null, before.GetProperty("published").ValueKind);
        Assert.Equal((2, 1, 1), (after.GetProperty("revision").GetInt32(), after.GetProperty("published").GetInt32(), after.GetProperty("versions").GetArrayLength()));
        Assert.True(listed.GetProperty("changed").GetBoolean());
        Assert.Equal("says what it is", listed.GetProperty("description").GetString());
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Document(name, 1)), version));
        Assert.Equal(
            """{"stages":[{"path":"a","change":"changed","fields":[{"field":"parameters.value","before":1,"after":2}]}],"document":[],"moved":false}""",
            difference.GetRawText());
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await Problem.IsAsync(gone, HttpStatusCode.NotFound, $"there is no definition '{name}'");
        Assert.True(JsonElement.DeepEquals(version, kept));
    }

    [Fact]
    public async Task Of_two_who_save_one_revision_one_is_told_what_the_other_saved()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        var name = Name();
        await SaveAsync(client, name, "{}", 0);

        var answers = await Task.WhenAll(Enumerable.Range(1, 2).Select(i => PutAsync(client, name, Document(name, i), 1)));

        var saved = Array.FindIndex(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        var refused = answers[1 - saved];
        await Problem.IsAsync(refused, HttpStatusCode.Conflict, $"'{name}' is at revision 2, and this began with 1");
        var current = JsonElement.Parse(await refused.Content.ReadAsStringAsync(Cancellation)).GetProperty("current");
        Assert.Equal(2, current.GetProperty("revision").GetInt32());
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(Document(name, saved + 1)), current.GetProperty("definition")));
    }

    [Fact]
    public async Task What_has_faults_is_not_published_and_every_one_is_listed_with_its_stage()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        var name = Name();
        await SaveAsync(client, name, """{"name": "other", "stages": [{"id": "a", "kind": "toy.nothing"}, {"id": "b", "kind": "toy.add"}]}""", 0);

        using var refused = await client.PostAsJsonAsync($"api/definitions/{name}/publish", new { revision = 1 }, Cancellation);
        await SaveAsync(client, name, """{"name": 3}""", 1);
        using var unreadable = await client.PostAsJsonAsync($"api/definitions/{name}/publish", new { revision = 2 }, Cancellation);
        using var stale = await client.PostAsJsonAsync($"api/definitions/{name}/publish", new { revision = 1 }, Cancellation);

        await Problem.IsAsync(refused, HttpStatusCode.UnprocessableEntity, "is not published", $"the name in the document is 'other': expected '{name}'");
        var errors = JsonElement.Parse(await refused.Content.ReadAsStringAsync(Cancellation)).GetProperty("errors").EnumerateArray().ToArray();
        Assert.Equal([null, "a", "b", "b"], errors.Select(error => error.TryGetProperty("stage", out var stage) ? stage.GetString() : null));
        await Problem.IsAsync(unreadable, HttpStatusCode.UnprocessableEntity, "a value of another type is expected (line 1, at name)");
        await Problem.IsAsync(stale, HttpStatusCode.Conflict, "is at revision 2, and this began with 1");
    }

    [Fact]
    public async Task Parameters_that_a_run_sets_and_inputs_that_another_workflow_gives_are_no_faults()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        var name = Name();
        var document = $$"""
            {
              "name": "{{name}}", "inputs": { "first": "double" },
              "parameters": { "value": { "type": "number" }, "values": { "type": "list" }, "rounds": { "type": "integer" } },
              "stages": [
                { "id": "n", "kind": "toy.number", "parameters": { "value": "${value * 2}" } },
                { "id": "s", "kind": "toy.number", "matrix": { "values": { "v": "${values}" } }, "parameters": { "value": "${v}" } },
                { "id": "r", "kind": "toy.fail-times", "parameters": { "counter": "${value}" }, "repeat": { "times": "${rounds}" } },
                { "id": "sum", "kind": "toy.sum", "inputs": { "values": "s.value" } },
                { "id": "add", "kind": "toy.add", "inputs": { "a": "inputs.first", "b": "n.value" } }
              ]
            }
            """;

        await SaveAsync(client, name, document, 0);

        var answer = await PublishAsync(client, name, 1);
        Assert.True(answer == """{"version":1}""", answer);
    }

    [Fact]
    public async Task A_circle_is_a_fault_also_where_values_are_still_to_come()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        var name = Name();
        var document = $$"""
            {
              "name": "{{name}}", "inputs": { "first": "double" },
              "stages": [
                { "id": "x", "kind": "toy.add", "inputs": { "a": "inputs.first", "b": "y.value" } },
                { "id": "y", "kind": "toy.add", "inputs": { "a": "x.value", "b": "x.value" } }
              ]
            }
            """;
        await SaveAsync(client, name, document, 0);

        using var refused = await client.PostAsync($"api/definitions/{name}/publish", null, Cancellation);

        await Problem.IsAsync(refused, HttpStatusCode.UnprocessableEntity, "the stages feed each other in a circle");
    }

    [Fact]
    public async Task A_workflow_that_names_a_published_one_runs_that_version_for_ever()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        var (inner, outer) = (Name(), Name());
        await SaveAsync(client, inner, Document(inner, 1, ""","outputs": {"value": "a.value"}"""), 0);
        var document = $$$"""{"name": "{{{outer}}}", "stages": [{"id": "in", "workflow": "definition:{{{inner}}}@1"}, {"id": "add", "kind": "toy.add", "inputs": {"a": "in.value", "b": "in.value"}}]}""";
        await SaveAsync(client, outer, document, 0);
        using var early = await client.PostAsync($"api/definitions/{outer}/publish", null, Cancellation);
        await PublishAsync(client, inner, 1);
        await PublishAsync(client, outer, 1);
        await SaveAsync(client, inner, Document(inner, 100, ""","outputs": {"value": "a.value"}"""), 1);
        await PublishAsync(client, inner, 2);

        var (definition, version) = await server.Engine.Definitions.ResolveAsync(new DefinitionReference(outer, null), Cancellation);
        await using var worker = await fresh.WorkAsync(Toys.Catalog());
        Assert.True(Plan.TryCreate(definition, Toys.Catalog(), new Dictionary<string, JsonElement>(), out var plan, out var errors), string.Join("; ", errors));
        var run = await worker.WaitAsync(await worker.StartRunAsync(plan, new RunRequest(false, null, version, "kim"), Cancellation), Cancellation);

        await Problem.IsAsync(early, HttpStatusCode.UnprocessableEntity, $"nothing of '{inner}' is published yet");
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.Equal(2, run.Stages.Single(stage => stage.Id == "add").Outputs!.Value.GetProperty("value").GetDouble());
        await using var database = await Database.OpenAsync(fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        await using var db = database.Create();
        var row = await db.Runs.FindAsync([run.Id], Cancellation);
        Assert.Equal((1, "kim"), (row!.DefinitionVersion, row.StartedBy));
    }

    [Theory]
    [InlineData("application/json", "{", HttpStatusCode.BadRequest, "the body: ")]
    [InlineData("application/json", "null", HttpStatusCode.BadRequest, "the body is null")]
    [InlineData("application/json", """{"definition": {}}""", HttpStatusCode.BadRequest, "missing 'revision'")]
    [InlineData("application/json", """{"definition": {}, "revision": 0, "x": 1}""", HttpStatusCode.BadRequest, "unknown property 'x'")]
    [InlineData("application/json", """{"definition": [], "revision": 0}""", HttpStatusCode.UnprocessableEntity, "expected an object")]
    [InlineData("application/json", """{"definition": {"name": "\u0000"}, "revision": 0}""", HttpStatusCode.BadRequest, "zero character")]
    [InlineData("text/plain", """{"definition": {}, "revision": 0}""", HttpStatusCode.UnsupportedMediaType, "application/json")]
    public async Task A_body_that_is_none_is_refused_with_the_reason(string type, string body, HttpStatusCode status, string said)
    {
        await using var server = await StartAsync();

        using var refused = await server.Client(token: null).PutAsync("api/definitions/w", new StringContent(body, Encoding.UTF8, type), Cancellation);

        await Problem.IsAsync(refused, status, said);
    }

    [Fact]
    public async Task A_draft_as_deep_as_a_document_may_be_comes_back_as_it_was_sent()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        var deep = string.Concat(Enumerable.Repeat("[", 60)) + "1" + new string(']', 60);

        using var saved = await client.PutAsync(
            "api/definitions/deep", new StringContent($$$"""{"definition": {"deep": {{{deep}}}}, "revision": 0}""", Encoding.UTF8, "application/json"), Cancellation);
        var read = JsonElement.Parse(await client.GetStringAsync("api/definitions/deep", Cancellation));

        Assert.Equal(HttpStatusCode.OK, saved.StatusCode);
        Assert.Equal(deep, read.GetProperty("definition").GetProperty("deep").GetRawText());
    }

    [Fact]
    public async Task A_version_that_is_none_is_refused()
    {
        await using var server = await StartAsync();
        var client = server.Client(token: null);
        var name = Name();
        await SaveAsync(client, name, Document(name, 1), 0);

        using var early = await client.GetAsync($"api/definitions/{name}/versions/1", Cancellation);
        await PublishAsync(client, name, 1);
        using var later = await client.GetAsync($"api/definitions/{name}/versions/7", Cancellation);
        using var word = await client.GetAsync($"api/definitions/{name}/diff?from=1&to=newest", Cancellation);

        await Problem.IsAsync(early, HttpStatusCode.NotFound, $"nothing of '{name}' is published yet");
        await Problem.IsAsync(later, HttpStatusCode.NotFound, $"'{name}' has no version 7: the latest is 1");
        await Problem.IsAsync(word, HttpStatusCode.BadRequest, "'newest' is no version: expected a number, or draft");
    }

    private Task<TestServer> StartAsync() => TestServer.StartAsync(fresh, token: null, catalog: Toys.Catalog());

    private static string Name() => $"w-{Guid.NewGuid():N}";

    private static string Document(string name, int value, string more = "") =>
        $$$"""{"name": "{{{name}}}", "description": "says what it is", "stages": [{"id": "a", "kind": "toy.number", "parameters": {"value": {{{value}}}}}]{{{more}}}}""";

    private static Task<HttpResponseMessage> PutAsync(HttpClient client, string name, string document, int revision) => client.PutAsync(
        $"api/definitions/{name}", new StringContent($$"""{"definition": {{document}}, "revision": {{revision}}}""", Encoding.UTF8, "application/json"), Cancellation);

    private static async Task<string> SaveAsync(HttpClient client, string name, string document, int revision)
    {
        using var answer = await PutAsync(client, name, document, revision);
        return await answer.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<string> PublishAsync(HttpClient client, string name, int revision)
    {
        using var answer = await client.PostAsJsonAsync($"api/definitions/{name}/publish", new { revision }, Cancellation);
        return await answer.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path) => JsonElement.Parse(await client.GetStringAsync(path, Cancellation));
}
