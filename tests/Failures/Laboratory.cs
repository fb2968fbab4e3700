using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;
using Pipelines.Activities;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Cli;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Failures;

/// <summary>The quickstart, small enough to be run hundreds of times, on real workers and a real Postgres.</summary>
internal sealed class Laboratory : IAsyncDisposable
{
    /// <summary>Seconds; short, so that the dead are found soon. A machine that is this busy gives stages away, which is allowed.</summary>
    public const double Lease = 3;

    /// <summary>Seconds that a stage may take to stop.</summary>
    public const double Grace = 2;

    /// <summary>Milliseconds: what takes longer hangs.</summary>
    public const int Longest = 3 * 60_000;

    private static readonly SemaphoreSlim Once = new(1);
    private static IReadOnlyDictionary<string, string>? undisturbed;

    private readonly List<WorkerProcess> workers = [];
    private bool isPrivate;
    private readonly string database;
    private readonly string data;
    private readonly PipelinesEngine engine;

    private Laboratory(string database, string data, PipelinesEngine engine) =>
        (this.database, this.data, this.engine) = (database, data, engine);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static Task<Laboratory> OpenAsync(FreshDatabase fresh) => OpenAsync(fresh.ConnectionString, fresh.DataFolder);

    public static async Task<Laboratory> OpenAsync(string database, string data) => new(
        database, data, await PipelinesEngine.OpenAsync(new EngineOptions(database, data), ActivityCatalog.Create(), Cancellation));

    /// <summary>On a private Postgres in this folder.</summary>
    public static async Task<Laboratory> OpenPrivateAsync(string folder)
    {
        var opened = await PipelinesEngine.OpenAsync(new EngineOptions(null, folder), ActivityCatalog.Create(), Cancellation);
        return new Laboratory(opened.ConnectionString, folder, opened) { isPrivate = true };
    }

    public PipelinesEngine Engine => engine;

    public string Data => data;

    /// <summary>What workers have in their environment beside what all have.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public WorkerProcess StartWorker(string? fault = null, string? through = null, int slots = 1, FakeClock? clock = null)
    {
        var worker = new WorkerProcess(isPrivate ? "" : through ?? database, data, Lease, fault, slots, clock, environment: Environment);
        workers.Add(worker);
        return worker;
    }

    /// <summary>A worker with the server beside it.</summary>
    /// <param name="at">Where one was that is gone; null for a free port.</param>
    /// <returns>The process, and the server's address.</returns>
    public async Task<(WorkerProcess Process, Uri Address)> StartServerAsync(string token, Uri? at = null)
    {
        var server = new WorkerProcess(database, data, Lease, fault: null, arguments: ["serve", "--listen", $"127.0.0.1:{at?.Port ?? 0}"], token: token);
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
            database, folder, Lease, fault: null, arguments: ["worker", "--artifacts", server.ToString(), "--cache-size", "100M"], token: token);
        workers.Add(worker);
        return worker;
    }

    /// <param name="crashes">How many workers in a row a stage may take with it.</param>
    /// <param name="isolated">Stages that have a process of their own.</param>
    public Task<Guid> StartRunAsync(int crashes = 1000, string? key = null, params string[] isolated) =>
        engine.StartRunAsync(SmallQuickstart(crashes, isolated), new RunRequest(UseCache: false, key), Cancellation);

    public Task<Guid> StartStagesAsync(params StageDefinition[] stages) => StartAsync(new WorkflowDefinition("small", stages));

    public Task<Guid> StartAsync(WorkflowDefinition definition, bool useCache = false) =>
        engine.StartRunAsync(PlanOf(definition), useCache, Cancellation);

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

    /// <summary>What every stage gives when nothing goes wrong; found out once, for all.</summary>
    public async Task<IReadOnlyDictionary<string, string>> UndisturbedAsync()
    {
        await Once.WaitAsync(Cancellation);
        try
        {
            if (undisturbed is not null)
                return undisturbed;
            using var worker = StartWorker();
            var view = await WaitAsync(await StartRunAsync());
            await worker.LeaveAsync(Cancellation);
            Assert.Equal(RunState.Succeeded, view.State);
            return undisturbed = Outputs(view);
        }
        finally
        {
            Once.Release();
        }
    }

    /// <summary>Asks until the database answers: this process's connections are cut as well.</summary>
    public static async Task<T> PatientlyAsync<T>(Func<Task<T>> question)
    {
        while (true)
        {
            try
            {
                return await question();
            }
            catch (Exception error) when (Recording.IsPassing(error))
            {
                await Task.Delay(50, Cancellation);
            }
        }
    }

    /// <summary>The real program, on this database and data folder.</summary>
    public async Task<Ended> CommandAsync(params string[] arguments)
    {
        using var place = new Place { Data = data };
        return await place.RunAsync(isPrivate ? null : database, arguments);
    }

    /// <summary>Outputs of the stages, artifacts by their hashes; what measures time is left out.</summary>
    public static IReadOnlyDictionary<string, string> Outputs(RunView run) =>
        run.Stages.ToDictionary(stage => stage.Id, stage => stage.Outputs?.GetRawText() ?? "none");

    public Task<History> HistoryAsync(Guid run) => History.ReadAsync(database, run, Cancellation);

    public Task ExecuteAsync(string sql) => AskAsync<object>(sql);

    /// <summary>The first value that a query gives.</summary>
    public async Task<T?> AskAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation) is T value ? value : default;
    }

    /// <summary>So many workers with this fault; one that dies is replaced. They go when it is cancelled.</summary>
    public async Task KeepAliveAsync(string? fault, CancellationToken cancellation, int count = 2)
    {
        var kept = Enumerable.Range(0, count).Select(_ => StartWorker(fault)).ToArray();
        try
        {
            while (true)
            {
                await Task.Delay(50, cancellation);
                for (var i = 0; i < kept.Length; i++)
                {
                    if (kept[i].Ended)
                        kept[i] = StartWorker(fault);
                }
            }
        }
        catch (OperationCanceledException)
        {
            foreach (var worker in kept)
                worker.Kill();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in workers)
            worker.Dispose();
        await engine.DisposeAsync();
    }

    private static Plan SmallQuickstart(int crashes, string[] isolated) =>
        PlanOf(SmallDocument(crashes, isolated).Deserialize<WorkflowDefinition>(Json.Options)!);

    /// <summary>The workflow as a document.</summary>
    public static JsonNode SmallDocument(int crashes = 1000, params string[] isolated)
    {
        var file = Path.Combine(Repository.Root, "workflows", "templates", "quickstart.json");
        var document = JsonNode.Parse(File.ReadAllText(file))!;
        foreach (var stage in document["stages"]!.AsArray())
        {
            stage!["retry"] = new JsonObject { ["crashes"] = crashes };
            if (isolated.Contains(stage["id"]!.GetValue<string>()))
                stage["isolation"] = "process";
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

        return document;
    }

    private static Plan PlanOf(WorkflowDefinition definition)
    {
        Assert.True(Plan.TryCreate(definition, ActivityCatalog.Create(), new Dictionary<string, JsonElement>(), out var plan, out var faults), string.Join('\n', faults));
        return plan;
    }
}
