using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Pipelines.Tests.Fixtures;
using Pipelines.Tests.Workflows.Elsa;
using Pipelines.Workflows;

namespace Pipelines.Tests.Web;

public sealed class ElsaApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
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

    [Theory]
    [InlineData("core-flowchart-completion-workflow3.json")]
    [InlineData("guides-get-user.json")]
    public async Task Gives_a_definition_with_warnings_that_goes_back_as_it_came(string sample)
    {
        var elsa = ElsaFiles.Sample(sample);

        using var imported = await PostAsync("import", elsa);
        var answer = await imported.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        using var exported = await PostAsync("export", answer.GetProperty("definition").GetRawText());

        Assert.Equal(HttpStatusCode.OK, imported.StatusCode);
        Assert.Equal("application/json", imported.Content.Headers.ContentType?.MediaType);
        var definition = Json.Read<WorkflowDefinition>(answer.GetProperty("definition"));
        var warned = answer.GetProperty("warnings").EnumerateArray()
            .Where(warning => warning.TryGetProperty("stage", out _)).Select(warning => warning.GetProperty("stage").GetString());
        Assert.Equal(definition.Stages.Select(stage => stage.Id), warned);
        Assert.All(definition.Stages, stage => Assert.StartsWith("elsa.", stage.Kind, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, exported.StatusCode);
        Assert.Equal("application/json", exported.Content.Headers.ContentType?.MediaType);
        Assert.Equal(ElsaFiles.Canonical(elsa), ElsaFiles.Canonical(await exported.Content.ReadAsStringAsync(Cancellation)));
    }

    [Theory]
    [InlineData("import", "{", "it is no JSON")]
    [InlineData("import", "{ \"name\": \"w\" }", "expected a root")]
    [InlineData("export", "{ \"name\": \"w\", \"stages\": [ { \"id\": \"a\", \"knid\": \"k\" } ] }", "the workflow: unknown property 'knid'")]
    [InlineData("export", "{ \"name\": \"w\", \"stages\": [ null ] }", "stages[0] is null")]
    [InlineData("export", "{ \"name\": \"\\ud800\", \"stages\": [] }", "the workflow: ")]
    [InlineData("export", "", "the workflow: ")]
    public async Task Says_what_is_wrong_with_a_document(string way, string body, string says)
    {
        using var response = await PostAsync(way, body);

        await Problem.IsAsync(response, HttpStatusCode.BadRequest, says);
    }

    [Fact]
    public async Task Takes_no_more_than_a_workflow()
    {
        using var whole = await PostAsync("import", $"{{ \"root\": {{ \"type\": \"a\", \"text\": \"{new string('x', 9_000_000)}\" }} }}");
        // What is to come is announced, and refused before it is sent.
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/elsa/import") { Content = new ByteArrayContent(new byte[WorkflowFile.Largest + 1]) };
        request.Headers.ExpectContinue = true;
        using var more = await client.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
        await Problem.IsAsync(more, HttpStatusCode.RequestEntityTooLarge);
    }

    private Task<HttpResponseMessage> PostAsync(string way, string body) =>
        client.PostAsync($"api/elsa/{way}", new StringContent(body, Encoding.UTF8, "application/json"), Cancellation);
}
