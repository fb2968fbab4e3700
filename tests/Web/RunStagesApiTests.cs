using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Web;

public sealed class RunStagesApiTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
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
    public async Task Log_lines_come_in_pages_of_five_hundred()
    {
        var id = await client.StartAsync("""[{ "id": "talk", "kind": "toy.chatter", "parameters": { "lines": 1200 } }]""");
        await server.Engine.WaitAsync(id, Cancellation);

        var lines = new List<string?>();
        var sizes = new List<int>();
        for (long after = 0; sizes is not [.., < 500];)
        {
            var page = await client.AskAsync($"api/runs/{id}/logs?stage=talk&after={after}");
            sizes.Add(page.GetArrayLength());
            lines.AddRange(page.All("text"));
            after = page[page.GetArrayLength() - 1].GetProperty("id").GetInt64();
        }

        Assert.Equal([500, 500, 200], sizes);
        Assert.Equal(Enumerable.Range(1, 1200).Select(line => $"line {line}\uFFFD"), lines);
        Assert.Equal(500, (await client.AskAsync($"api/runs/{id}/logs")).GetArrayLength());
        Assert.Equal(0, (await client.AskAsync($"api/runs/{id}/logs?stage=other")).GetArrayLength());
    }

    [Fact]
    public async Task The_curves_of_a_stage_come_attempt_by_attempt()
    {
        var id = await client.StartAsync("""[{ "id": "talk", "kind": "toy.chatter", "parameters": { "lines": 4 } }]""", more: """, "noCache": true """);
        await server.Engine.WaitAsync(id, Cancellation);

        var attempt = Assert.Single((await client.AskAsync($"api/runs/{id}/stages/talk/metrics")).EnumerateArray());

        Assert.Equal(1, attempt.GetProperty("attempt").GetInt32());
        Assert.Equal("""{"name":"loss","step":4,"value":0.25}""", attempt.GetProperty("points")[3].GetRawText());
    }

    [Fact]
    public async Task The_history_of_a_stage_says_how_each_attempt_ended()
    {
        FailTimes.Left["api-attempts"] = 1;
        var id = await client.StartAsync("""
            [{ "id": "try", "kind": "toy.fail-times", "parameters": { "counter": "api-attempts" }, "retry": { "attempts": 2, "backoff": 0 } }]
            """);
        await server.Engine.WaitAsync(id, Cancellation);

        var attempts = await client.AskAsync($"api/runs/{id}/stages/try/attempts");

        Assert.Equal(["1", "2"], attempts.All("number"));
        Assert.Equal(["failed", "succeeded"], attempts.All("outcome"));
        Assert.Equal("the counter is at 0", attempts[0].GetProperty("error").GetString());
        Assert.Equal(["cpu", "cpu"], attempts.All("device"));
        Assert.Equal([server.Engine.WorkerId, server.Engine.WorkerId], attempts.All("worker"));
        Assert.True(attempts[1].GetProperty("started").GetDateTimeOffset() >= attempts[0].GetProperty("finished").GetDateTimeOffset());
    }

    [Fact]
    public async Task Runs_are_compared_by_their_parameters_figures_and_artifacts()
    {
        const string Definition = """
            { "name": "compare", "parameters": { "x": { "type": "number" } },
              "stages": [{ "id": "one", "kind": "toy.number", "parameters": { "value": "${x}" } },
                         { "id": "file", "kind": "toy.write-file", "parameters": { "text": "compared" } }],
              "outputs": { "x": "one.value" } }
            """;
        var ids = new List<Guid>();
        foreach (var x in new[] { 1, 2 })
        {
            var started = await client.AskAsync("api/runs", $$"""{ "definition": {{Definition}}, "values": { "x": {{x}} } }""", System.Net.HttpStatusCode.Created);
            ids.Add(started.GetProperty("id").GetGuid());
            await server.Engine.WaitAsync(ids[^1], Cancellation);
        }

        var compared = await client.AskAsync($"api/runs/compare?ids={ids[1]},{ids[0]}");

        Assert.Equal([$"{ids[1]}", $"{ids[0]}"], compared.All("id"));
        Assert.Equal(["2", "1"], compared.EnumerateArray().Select(run => run.GetProperty("parameters").GetProperty("x").GetRawText()));
        Assert.Equal(["2", "1"], compared.EnumerateArray().Select(run => run.GetProperty("outputs").GetProperty("x").GetRawText()));
        Assert.Equal(["2", "1"], compared.EnumerateArray().Select(run => run.GetProperty("stages")[0].GetProperty("figures").GetProperty("value").GetRawText()));
        var file = compared[0].GetProperty("stages")[1];
        Assert.True(file.GetProperty("reused").GetBoolean());
        Assert.Equal(file.GetProperty("outputs").GetProperty("file").GetString(), file.GetProperty("artifacts")[0].GetString());
        Assert.True(file.GetProperty("seconds").GetDouble() >= 0);
    }

    [Fact]
    public async Task The_branches_of_a_matrix_are_told_apart_by_their_values()
    {
        var run = await client.StartAsync("""
            [{ "id": "one", "kind": "toy.number", "parameters": { "value": "${x}" }, "matrix": { "values": { "x": [7, 8] } } },
             { "id": "alone", "kind": "toy.number", "parameters": { "value": 1 } }]
            """);
        await server.Engine.WaitAsync(run, Cancellation);

        var compared = await client.AskAsync($"api/runs/compare?ids={run}");

        Assert.Equal(
            ["alone ", "one.1 {\"x\":7}", "one.2 {\"x\":8}"],
            compared[0].GetProperty("stages").EnumerateArray().Select(stage =>
                $"{stage.GetProperty("id")} {(stage.TryGetProperty("variables", out var values) ? values.GetRawText() : "")}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_preview_says_what_would_be_reused_and_starts_nothing()
    {
        const string Stages = """[{ "id": "one", "kind": "toy.number", "parameters": { "value": 31 } }, { "id": "sum", "kind": "toy.add", "inputs": { "a": "one.value", "b": "one.value" } }]""";
        var request = $$"""{ "definition": { "name": "previewed", "stages": {{Stages}} }, "values": {} }""";

        var before = await client.AskAsync("api/runs/preview", request);
        await server.Engine.WaitAsync(await client.StartAsync(Stages, "previewed"), Cancellation);
        var after = await client.AskAsync("api/runs/preview", request);

        Assert.Equal("False,", string.Join(',', before.All("reused")));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, before[1].GetProperty("reused").ValueKind);
        Assert.Equal(["True", "True"], after.All("reused"));
        Assert.Single((await client.AskAsync("api/runs?name=previewed")).EnumerateArray());
    }
}
