using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;
using Pipelines.Activities;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Failures;

/// <summary>The quickstart, small enough to be run hundreds of times, on real workers and a real Postgres.</summary>
internal sealed class Laboratory : IAsyncDisposable
{
    /// <summary>Seconds; short, so that the dead are found soon. A machine that is this busy gives stages away, which is allowed.</summary>
    public const double Lease = 3;

    /// <summary>Milliseconds: what takes longer hangs.</summary>
    public const int Longest = 3 * 60_000;

    private readonly List<WorkerProcess> workers = [];
    private bool isPrivate;
    private readonly string database;
    private readonly string data;
    private readonly PipelinesEngine engine;

    private Laboratory(string database, string data, PipelinesEngine engine) =>
        (this.database, this.data, this.engine) = (database, data, engine);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<Laboratory> OpenAsync(FreshDatabase fresh) => new(
        fresh.ConnectionString, fresh.DataFolder,
        await PipelinesEngine.OpenAsync(fresh.Options, ActivityCatalog.Create(), Cancellation));

    /// <summary>On a private Postgres in this folder.</summary>
    public static async Task<Laboratory> OpenPrivateAsync(string folder)
    {
        var opened = await PipelinesEngine.OpenAsync(new EngineOptions(null, folder), ActivityCatalog.Create(), Cancellation);
        return new Laboratory(opened.ConnectionString, folder, opened) { isPrivate = true };
    }

    public PipelinesEngine Engine => engine;

    public string Data => data;

    public WorkerProcess StartWorker(string? fault = null, string? through = null)
    {
        var worker = new WorkerProcess(isPrivate ? "" : through ?? database, data, Lease, fault);
        workers.Add(worker);
        return worker;
    }

    /// <summary>A worker with the server beside it.</summary>
    /// <param name="at">Where one was that is gone; null for a free port.</param>
    /// <returns>The process, and the server's address.</returns>
    public async Task<(WorkerProcess Process, Uri Address)> StartServerAsync(string token, Uri? at = null)
    {
        var server = new WorkerProcess(database, data, Lease, fault: null, ["serve", "--listen", $"127.0.0.1:{at?.Port ?? 0}"], token);
        workers.Add(server);
        while (true)
        {
            if (Regex.Match(server.Output, "listening on (http://[^,]+),") is { Success: true } said)
                return (server, new Uri(said.Groups[1].Value));
            Assert.False(server.Ended, server.Errors);
            await Task.Delay(20, Cancellation);
        }
    }

    /// <summary>A worker that shares nothing with the others but the database.</summary>
    public WorkerProcess StartRemoteWorker(Uri server, string folder, string token)
    {
        var worker = new WorkerProcess(
            database, folder, Lease, fault: null, ["worker", "--artifacts", server.ToString(), "--cache-size", "100M"], token);
        workers.Add(worker);
        return worker;
    }

    /// <param name="crashes">How many workers in a row a stage may take with it.</param>
    public Task<Guid> StartRunAsync(int crashes = 1000) =>
        engine.StartRunAsync(SmallQuickstart(crashes), useCache: false, Cancellation);

    public Task<RunView> WaitAsync(Guid run) => engine.WaitAsync(run, Cancellation);

    public async Task<RunView> ViewAsync(Guid run) => (await engine.Runs.FindAsync(run, Cancellation))!;

    /// <summary>Returns when the run looks like this.</summary>
    public async Task<RunView> UntilAsync(Guid run, Func<RunView, bool> condition)
    {
        while (true)
        {
            var view = await ViewAsync(run);
            if (condition(view))
                return view;
            Assert.True(view.State == RunState.Running, $"the run has {view.State} before it was seen as wanted");
            await engine.WaitForChangeAsync(run, TimeSpan.FromMilliseconds(200), Cancellation);
        }
    }

    /// <summary>No worker has ended by itself.</summary>
    public void CheckWorkersLive() => Assert.All(
        workers.Where(worker => !worker.Gone), worker => Assert.False(worker.Ended, worker.Errors));

    /// <summary>What every stage gives when nothing goes wrong, in a database of its own.</summary>
    public async Task<IReadOnlyDictionary<string, string>> UndisturbedAsync()
    {
        using var worker = StartWorker();
        var view = await WaitAsync(await StartRunAsync());
        await worker.LeaveAsync(Cancellation);
        Assert.Equal(RunState.Succeeded, view.State);
        return Outputs(view);
    }

    /// <summary>Outputs of the stages, artifacts by their hashes; what measures time is left out.</summary>
    public static IReadOnlyDictionary<string, string> Outputs(RunView run) =>
        run.Stages.ToDictionary(stage => stage.Id, stage => stage.Outputs?.GetRawText() ?? "none");

    public Task<History> HistoryAsync(Guid run) => History.ReadAsync(database, run, Cancellation);

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in workers)
            worker.Dispose();
        await engine.DisposeAsync();
    }

    private static Plan SmallQuickstart(int crashes)
    {
        var file = Path.Combine(Repository.Root, "workflows", "templates", "quickstart.json");
        var document = JsonNode.Parse(File.ReadAllText(file))!;
        foreach (var stage in document["stages"]!.AsArray())
        {
            stage!["retry"] = new JsonObject { ["crashes"] = crashes };
            var small = stage["id"]!.GetValue<string>() switch
            {
                "text" => """{ "characters": 20000, "evaluationCharacters": 4000 }""",
                "train" => """{ "hidden": 32, "layers": 2, "heads": 2, "intermediate": 64, "vocabulary": 300, "steps": 30, "batch": 4 }""",
                "recover" => """{ "steps": 12, "batch": 2, "rank": 2 }""",
                _ => null,
            };
            if (small is not null)
                stage["parameters"] = JsonNode.Parse(small);
        }

        var definition = document.Deserialize<WorkflowDefinition>(Json.Options)!;
        Assert.True(Plan.TryCreate(definition, ActivityCatalog.Create(), new Dictionary<string, JsonElement>(), out var plan, out var faults), string.Join('\n', faults));
        return plan;
    }
}
