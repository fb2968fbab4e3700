using System.Net;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Web;

public sealed class HealthApiTests(FreshDatabase fresh, TestCluster cluster) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Says_which_program_it_is_and_whether_it_works()
    {
        await using var server = await TestServer.StartAsync(fresh, toys: true);
        await using var idle = await TestServer.StartAsync(fresh);

        var health = await server.Client().AskAsync("api/health");

        Assert.Equal("ok", health.GetProperty("status").GetString());
        Assert.Matches(@"^\d+\.\d+", health.GetProperty("version").GetString());
        Assert.Equal(server.Engine.DatabaseDescription, health.GetProperty("database").GetProperty("description").GetString());
        Assert.Equal(server.Engine.WorkerId, health.GetProperty("worker").GetProperty("id").GetString());
        Assert.False((await idle.Client().AskAsync("api/health")).TryGetProperty("worker", out _));
    }

    [Fact]
    public async Task Says_that_the_database_is_away()
    {
        var own = new FreshDatabase(cluster);
        await own.InitializeAsync();
        await using (var server = await TestServer.StartAsync(own))
        {
            await cluster.DropDatabaseAsync(own.ConnectionString);

            using var health = await server.Client().GetAsync("api/health", Cancellation);

            Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
            Assert.Contains("database-away", await health.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }

        await own.DisposeAsync();
    }

    [Fact]
    public async Task Counts_runs_stages_workers_and_artifacts_for_prometheus()
    {
        var own = new FreshDatabase(cluster);
        await own.InitializeAsync();
        await using (var server = await TestServer.StartAsync(own, toys: true))
        {
            var hash = await TestServer.MakeAsync(server.Artifacts, 1, ("weights", 3000));
            var client = server.Client();
            var id = await client.StartAsync("""
                [{ "id": "wait", "kind": "toy.door", "parameters": { "name": "api-metrics" } }, { "id": "one", "kind": "toy.number" },
                 { "id": "sum", "kind": "toy.add", "inputs": { "a": "wait.value", "b": "one.value" } }]
                """);
            await Door.Named("api-metrics").BegunAsync();

            using var answer = await client.GetAsync("metrics", Cancellation);
            var lines = (await answer.Content.ReadAsStringAsync(Cancellation)).Split('\n');

            Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
            Assert.Contains("# TYPE pipelines_runs gauge", lines);
            Assert.Contains("pipelines_runs{state=\"running\"} 1", lines);
            Assert.Contains("pipelines_runs{state=\"failed\"} 0", lines);
            Assert.Contains("pipelines_stages{state=\"running\"} 1", lines);
            Assert.Contains("pipelines_stages{state=\"waiting\"} 1", lines);
            Assert.Contains("pipelines_stages_backlog{group=\"cpu\"} 1", lines);
            Assert.Contains("pipelines_workers{group=\"cpu\"} 1", lines);
            Assert.Contains("pipelines_workers{group=\"gpu\"} 0", lines);
            Assert.Contains("pipelines_artifacts 1", lines);
            Assert.Contains(lines, line => line.StartsWith("pipelines_stages_oldest_ready_seconds{group=\"cpu\"} ", StringComparison.Ordinal));
            Assert.All(
                lines.Where(line => line.Length > 0 && line[0] != '#'),
                line => Assert.Matches(@"^[a-z_]+(\{[a-z]+=""[a-z-]+""\})? [0-9.eE+-]+$", line));
            Assert.True(server.Artifacts.Has(hash));
            Door.Named("api-metrics").Open();
            await server.Engine.WaitAsync(id, Cancellation);
        }

        await own.DisposeAsync();
    }
}
