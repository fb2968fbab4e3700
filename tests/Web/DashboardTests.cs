using System.Text.Json;
using Npgsql;
using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Web;

namespace Pipelines.Tests.Web;

public sealed class DashboardTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static readonly DiskRoom Roomy = new(900_000_000_000, 1_000_000_000_000);
    private static readonly Guid Run = Guid.NewGuid();
    private static readonly Overview Fine = new(new RunCounts(1, 2, 0, 0), null, [], ["cpu"], 1, [new("nightly", false, null, 0, 0)], [Worker(WorkerState.Working, 1)]);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void When_nothing_is_wrong_each_thing_says_so()
    {
        var dashboard = Dashboard.Of(Fine, Roomy);

        Assert.Equal(Severity.Ok, dashboard.Severity);
        Assert.Equal(["runs", "stages", "schedules", "workers", "disk"], dashboard.Items.Select(item => item.About));
        Assert.All(dashboard.Items, item => Assert.Equal(Severity.Ok, item.Severity));
    }

    [Fact]
    public void What_is_wrong_says_how_bad_it_is_and_where_to_look()
    {
        var dashboard = Dashboard.Of(
            Fine with
            {
                Runs = new RunCounts(0, 0, 2, 0),
                LastFailed = new NamedRun(Run, "prune"),
                Ready = [new ReadyStages("gpu", 3, Run, 10), new ReadyStages("cpu", 1, Run, 4000)],
                Schedules = [new("a", true, "the disk is full", 0, 0), new("b", false, null, 1, 2)],
                Workers = [Worker(WorkerState.Dead, 500)],
            },
            new DiskRoom(1_000_000, 1_000_000_000_000));

        Assert.Equal(Severity.Error, dashboard.Severity);
        Assert.Equal(
            [
                $"Error 2 runs failed in the last day, the last one of prune #/runs/{Run}",
                $"Error 3 stages wait for a worker that serves gpu, and none is alive #/runs/{Run}",
                $"Warning a stage has waited 67 min for a free slot of cpu #/runs/{Run}",
                "Warning schedule a is paused: the disk is full #/schedules/a",
                "Error schedule b could start nothing once in the last day #/schedules/b",
                "Warning schedule b left out 2 times in the last day #/schedules/b",
                "Warning worker w was last heard of 8 min ago; others take what it ran #/workers",
                "Warning no worker is alive: nothing is computed #/workers",
                "Error 0 GB of 1000 are free where artifacts are kept ",
            ],
            dashboard.Items.Select(item => $"{item.Severity} {item.Text} {item.Link}"));
        Assert.Equal(new StageCounts(4, 1, 3, 4000), dashboard.Stages);
    }

    [Theory]
    [InlineData(11, 1000, Severity.Ok)]
    [InlineData(5, 20, Severity.Ok)]
    [InlineData(5, 1000, Severity.Warning)]
    [InlineData(0, 1000, Severity.Error)]
    public void A_disk_is_full_by_what_is_left(int free, int total, object severity) =>
        Assert.Equal(severity, Dashboard.Of(Fine, new DiskRoom(free * 1_000_000_000L, total * 1_000_000_000L)).Severity);

    [Fact]
    public async Task The_server_sees_failed_runs_stages_that_nobody_serves_dead_workers_and_drains_the_living()
    {
        await using var server = await TestServer.StartAsync(fresh, token: null, catalog: Toys.Catalog());
        FailTimes.Left["dashboard"] = 1;
        await using var worker = await fresh.WorkAsync(Toys.Catalog(), 1, "cuda:0");
        var failed = await worker.WaitAsync(await worker.StartRunAsync(Toys.PlanOf("""{"name": "bad", "stages": [{"id": "a", "kind": "toy.fail-times", "parameters": {"counter": "dashboard"}}]}"""), false, Cancellation), Cancellation);
        var client = server.Client(token: null);
        var alive = Assert.Single(JsonElement.Parse(await client.GetStringAsync("api/workers", Cancellation)).EnumerateArray());
        await using (var connection = new NpgsqlConnection(fresh.ConnectionString))
        {
            await connection.OpenAsync(Cancellation);
            await using var command = new NpgsqlCommand("""
                INSERT INTO pipelines.workers (id, host, pid, groups, slots, seen_at) VALUES ('dead-one', 'h', 1, '{cpu}', 1, now() - interval '1 hour')
                """, connection);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        var dashboard = JsonElement.Parse(await client.GetStringAsync("api/dashboard", Cancellation));
        var id = alive.GetProperty("id").GetString();
        using var drained = await client.PostAsync($"api/workers/{id}/drain", null, Cancellation);
        using var unknown = await client.PostAsync("api/workers/nobody/drain", null, Cancellation);
        await worker.Drained.WaitAsync(Cancellation);

        Assert.Equal(RunState.Failed, failed.State);
        Assert.Equal("error", dashboard.GetProperty("severity").GetString());
        var texts = dashboard.GetProperty("items").EnumerateArray().Select(item => $"{item.GetProperty("severity").GetString()} {item.GetProperty("text").GetString()}").ToArray();
        Assert.Contains("error 1 run failed in the last day, the last one of bad", texts);
        Assert.Contains("warning worker dead-one was last heard of 60 min ago; others take what it ran", texts);
        Assert.Equal(1, dashboard.GetProperty("runs").GetProperty("failed").GetInt32());
        Assert.True(dashboard.GetProperty("disk").GetProperty("total").GetInt64() > 0);
        Assert.True(drained.IsSuccessStatusCode);
        await Problem.IsAsync(unknown, System.Net.HttpStatusCode.NotFound, "no worker's id contains 'nobody'");
    }

    private static WorkerView Worker(WorkerState state, double silent) =>
        new("w", "h", 1, state, new Dictionary<string, int> { ["cpu"] = 1 }, [], DateTimeOffset.UnixEpoch, silent, []);
}
