using System.Net;
using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Tests.Fixtures;
using Pipelines.Web;
using Pipelines.Workflows;

namespace Pipelines.Tests.Web;

/// <summary>What the designer draws with: activities, templates, faults.</summary>
public sealed class CatalogApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
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
    public async Task Every_activity_is_listed_with_its_ports_and_the_schema_of_its_form()
    {
        var activities = await client.AskAsync("api/activities");

        Assert.Equal(ActivityCatalog.Create().Entries.Select(entry => entry.Kind), activities.All("kind"));
        var wanda = activities.EnumerateArray().First(activity => activity.GetProperty("kind").GetString() == "prune.wanda");
        Assert.Equal("prune", wanda.GetProperty("family").GetString());
        Assert.Equal("""{"name":"model","type":"checkpoint","optional":false}""", wanda.GetProperty("inputs")[0].GetRawText());
        Assert.Equal(0.99, wanda.GetProperty("parameters").GetProperty("properties").GetProperty("sparsity").GetProperty("maximum").GetDouble());
        Assert.True(wanda.GetProperty("results").GetProperty("properties").TryGetProperty("model", out _));
        Assert.True(wanda.GetProperty("version").GetInt32() > 0);
    }

    [Fact]
    public async Task The_templates_that_ship_lie_beside_the_program_and_are_valid()
    {
        var templates = await client.AskAsync("api/templates");

        Assert.Equal(
            Directory.GetFiles(Path.Combine(Repository.Root, "workflows", "templates")).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal),
            templates.All("name"));
        Assert.Contains("Llama prune recover", templates.All("title"));
        foreach (var template in templates.EnumerateArray())
        {
            Assert.NotEmpty(template.GetProperty("description").GetString()!);
            var found = await client.AskAsync("api/validate", $$"""{ "definition": {{template.GetProperty("definition").GetRawText()}} }""");
            Assert.All(found.GetProperty("errors").All("message"), message => Assert.Contains("must be set", message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Validating_names_stage_and_field_and_says_null_where_there_is_none()
    {
        var found = await client.AskAsync("api/validate", """
            { "definition": { "name": "x", "parameters": { "a": { "type": "number" } }, "stages": [
                { "id": "sweep", "stages": [{ "id": "prune", "kind": "prune.wanda", "parameters": { "sparsity": 2 } }] }, { "id": "sweep", "kind": "data.synthetic" }] },
              "values": { "a": "much" } }
            """);

        var errors = found.GetProperty("errors").Deserialize<JsonClient.FaultAnswer[]>(JsonSerializerOptions.Web)!;
        Assert.Contains(errors, error => error is { Stage: null, Field: "parameters.a" } && error.Message.Contains("expected number"));
        Assert.Contains(errors, error => error is { Stage: "sweep", Field: null, Message: "2 stages have this id" });
        Assert.Contains(errors, error => error is { Stage: "sweep/prune", Field: "parameters.sparsity" });
        Assert.Contains("\"field\":null", found.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("\"stage\":null", found.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("parameter 'x' must be set: --set x=…", "parameters.x")]
    [InlineData("parameter 'sparsity' is 2: must be between 0 and 1", "parameters.sparsity")]
    [InlineData("unknown parameter 'sparsty' (did you mean 'sparsity'?)", "parameters.sparsty")]
    [InlineData("the workflow has no parameter 'y'", "parameters.y")]
    [InlineData("input 'model' (checkpoint) is not connected", "inputs.model")]
    [InlineData("prune.wanda has no input 'modle'", "inputs.modle")]
    [InlineData("output 'best' is an empty list: expected stage.port", "outputs.best")]
    [InlineData("when: there is no parameter 'z'", "when")]
    [InlineData("repeat.until: unexpected end", "repeat.until")]
    [InlineData("repeat.times is 0: expected a whole number, 1 to 1000", "repeat.times")]
    [InlineData("matrix.values.ratio is 3: expected a list with at least one value", "matrix.values.ratio")]
    [InlineData("matrix.values.ratio: the name is taken, by a parameter or an outer matrix", "matrix.values.ratio")]
    [InlineData("matrix.parallel is 0: expected a whole number, 1 to 20000", "matrix.parallel")]
    [InlineData("resources.gpu is 7: expected 0 or 1", "resources.gpu")]
    [InlineData("timeout is -1: expected seconds, more than 0", "timeout")]
    [InlineData("no activity of kind 'prune.wnada'", "kind")]
    [InlineData("'${x}': the workflow has no parameter 'x'", null)]
    [InlineData("the group has no stages", null)]
    public void A_fault_names_the_field_that_its_message_speaks_of(string message, string? field) =>
        Assert.Equal(field, Fault.FieldOf(message));

    [Fact]
    public async Task A_document_of_ten_thousand_stages_is_taken_and_one_that_is_too_large_is_not()
    {
        var stages = string.Join(',', Enumerable.Range(0, 10_000).Select(i => $$"""{ "id": "s{{i}}", "kind": "data.synthetic" }"""));
        var found = await client.AskAsync("api/validate", $$"""{ "definition": { "name": "large", "stages": [{{stages}}] } }""");
        client.DefaultRequestHeaders.ExpectContinue = true; // to hear the answer before all is sent
        using var refused = await client.SendAsync("api/validate", $$"""{ "definition": { "name": "{{new string('x', WorkflowFile.Largest + (100 << 10))}}", "stages": [] } }""");

        Assert.Empty(found.GetProperty("errors").EnumerateArray());
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
    }

    [Fact]
    public async Task The_document_of_the_api_lists_its_paths()
    {
        var document = await client.AskAsync("api/openapi.json");

        var paths = document.GetProperty("paths");
        foreach (var path in new[] { "/api/activities", "/api/runs", "/api/runs/{id}/reset", "/api/artifacts/{hash}/lineage", "/api/validate" })
            Assert.True(paths.TryGetProperty(path, out _), path);
        Assert.True(paths.GetProperty("/api/runs").GetProperty("post").TryGetProperty("requestBody", out _));
        Assert.True(paths.GetProperty("/api/schedules").GetProperty("post").GetProperty("requestBody").GetProperty("required").GetBoolean());
        Assert.False(paths.GetProperty("/api/schedules/{name}/pause").GetProperty("post").GetProperty("requestBody").TryGetProperty("required", out _));
        Assert.True(paths.GetProperty("/api/definitions/{name}").GetProperty("get").GetProperty("responses").GetProperty("200").TryGetProperty("content", out _));
    }

    [Fact]
    public async Task Nothing_is_at_an_unknown_path_and_a_wrong_method_is_said()
    {
        using var unknown = await client.GetAsync("api/unknown", Cancellation);
        using var method = await client.DeleteAsync("api/activities", Cancellation);

        await Problem.IsAsync(unknown, HttpStatusCode.NotFound, "there is nothing at /api/unknown");
        await Problem.IsAsync(method, HttpStatusCode.MethodNotAllowed, "/api/activities takes no DELETE");
    }
}
