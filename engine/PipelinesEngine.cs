using Microsoft.Extensions.Logging;
using Pipelines.Engine.Definitions;
using Pipelines.Engine.Schedules;
using Pipelines.Engine.Telemetry;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>The engine in one process: the database, the artifacts, and, once <see cref="WorkAsync"/> was called, a worker.</summary>
public sealed class PipelinesEngine : IAsyncDisposable
{
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(2);

    private readonly EngineOptions options;
    private readonly Catalog catalog;
    private readonly TimeProvider time;
    private readonly Database database;
    private readonly ProcessFolder work;
    private readonly ArtifactStore artifacts;
    private readonly WorkerRow self;
    private readonly DatabaseListener listener;
    private readonly RunChanges changes;
    private readonly StageWaker waker;
    private readonly ScheduleStore scheduleStore;
    private readonly ScheduleRunner scheduleRunner;
    private StageExecutor? executor;
    private Worker? worker;
    private ScheduleLoop? scheduleLoop;
    private bool disposed;

    private PipelinesEngine(
        EngineOptions options, Catalog catalog, TimeProvider time, Database database, ProcessFolder work)
    {
        this.options = options;
        this.catalog = catalog;
        this.time = time;
        this.database = database;
        this.work = work;
        artifacts = ArtifactStore.Open(options.Artifacts, options.DataFolder, work, time, options.LoggerFactory);
        self = Worker.Describe(options);
        listener = new DatabaseListener(database, time, options.LoggerFactory.CreateLogger<DatabaseListener>());
        changes = new RunChanges(listener, time);
        waker = new StageWaker(database, options, self.Id, listener, time, () => new StageJob(executor!));
        Runs = new RunStore(database, waker.CommitAsync);
        Definitions = new DefinitionBook(new DefinitionStore(database), catalog);
        scheduleStore = new ScheduleStore(database, waker.CommitAsync);
        scheduleRunner = new ScheduleRunner(
            scheduleStore, Definitions, catalog, options.LoggerFactory.CreateLogger<ScheduleRunner>());
        Schedules = new ScheduleBook(scheduleStore, new ScheduleReader(database), scheduleRunner, Definitions, catalog, waker);
        Tokens = new TokenStore(database);
        Audit = new AuditLog(database);
        Figures = new Figures(database, artifacts as ArtifactDirectory, time);
    }

    public RunStore Runs { get; }

    public ScheduleBook Schedules { get; }

    public DefinitionBook Definitions { get; }

    public TokenStore Tokens { get; }

    public AuditLog Audit { get; }

    public IArtifacts Artifacts => artifacts;

    /// <summary>For who gives them to other machines.</summary>
    /// <exception cref="EngineException">They are on another machine themselves.</exception>
    internal ArtifactDirectory LocalArtifacts => artifacts as ArtifactDirectory
        ?? throw new EngineException($"the artifacts are not in {options.DataFolder} but at {options.Artifacts}: do this there");

    internal Figures Figures { get; }

    internal Database Database => database;

    internal DatabaseListener Listener => listener;

    public Catalog Catalog => catalog;

    /// <summary>This process's worker, among those that <see cref="WorkersAsync"/> lists; null when it executes nothing.</summary>
    public string? WorkerId => worker is null ? null : self.Id;

    /// <summary>Which database this is, without its password.</summary>
    public string DatabaseDescription => database.Description;

    /// <summary>With its password: for tests.</summary>
    internal string ConnectionString => database.Source.ConnectionString;

    /// <summary>Brings the database up and its schema up to date; executes nothing yet.</summary>
    /// <exception cref="EngineException">The database cannot be started or reached.</exception>
    public static Task<PipelinesEngine> OpenAsync(
        EngineOptions options, Catalog catalog, CancellationToken cancellation) =>
        OpenAsync(options, catalog, TimeProvider.System, cancellation);

    internal static async Task<PipelinesEngine> OpenAsync(
        EngineOptions options, Catalog catalog, TimeProvider time, CancellationToken cancellation)
    {
        options = options with { DataFolder = Path.GetFullPath(options.DataFolder) };
        ProcessFolder? work = null;
        try
        {
            Directory.CreateDirectory(options.DataFolder);
            work = ProcessFolder.Open(options.DataFolder);
            var database = await Database.OpenAsync(options.Database, options.DataFolder, time, cancellation);
            return new PipelinesEngine(options, catalog, time, database, work);
        }
        catch (Exception error)
        {
            work?.Dispose();
            if (error is DatabaseException)
                throw new EngineException(error.Message, error);
            if (error is IOException or UnauthorizedAccessException)
                throw new EngineException($"the data folder {options.DataFolder} cannot be used: {error.Message}", error);
            throw;
        }
    }

    /// <summary>Starts to execute stages and schedules in this process, and returns; disposing ends it.</summary>
    public async Task WorkAsync(CancellationToken cancellation)
    {
        if (worker is not null)
            throw new InvalidOperationException("this process works already");
        var stages = new StageStore(database, waker.CommitAsync, options.Lease);
        var recording = new Recording(time, options.LoggerFactory.CreateLogger<Recording>());
        var running = new RunningStages();
        executor = new StageExecutor(
            catalog, stages, new ResultReader(database), new CheckpointStore(database), recording, artifacts,
            new StageComputer(stages, recording, work, running, options, time),
            new RunTrace(database, options.LoggerFactory.CreateLogger<RunTrace>()), running, options, self.Id, time);
        var leases = new LeaseKeeper(
            new LeaseConnection(database, self, options.Lease), running, options.Lease,
            options.LoggerFactory.CreateLogger<LeaseKeeper>());
        worker = new Worker(
            self, new WorkerStore(database), stages, leases, waker, executor, listener, database, options.Lease, time,
            options.LoggerFactory.CreateLogger<Worker>());
        await worker.StartAsync(cancellation);
        scheduleLoop = new ScheduleLoop(
            scheduleRunner, scheduleStore, waker, listener, time, options.LoggerFactory.CreateLogger<ScheduleLoop>());
        scheduleLoop.Start();
    }

    /// <summary>Done when this worker was told to leave: it takes nothing any more.</summary>
    public Task Draining => worker?.Draining ?? throw new InvalidOperationException("this process does not work");

    /// <summary>
    /// Done when this worker was told to leave and nothing runs that it was to finish. What else runs is handed back when it
    /// is disposed.
    /// </summary>
    public Task Drained => worker?.Drained ?? throw new InvalidOperationException("this process does not work");

    /// <summary>Whether what was asked may go well later: the database was away, restarted, or cut a connection.</summary>
    public static bool IsPassing(Exception error) => Recording.IsPassing(error);

    /// <exception cref="EngineException">A stage needs what no live worker serves.</exception>
    public Task<Guid> StartRunAsync(Plan plan, bool useCache, CancellationToken cancellation) =>
        StartRunAsync(plan, new RunRequest(useCache), cancellation);

    /// <exception cref="EngineException">A stage needs what no live worker serves, or the key is that of another plan.</exception>
    public async Task<Guid> StartRunAsync(Plan plan, RunRequest request, CancellationToken cancellation) => await Explain(async () =>
    {
        await CheckGroupsAsync(plan, cancellation);
        await waker.SchedulerAsync(cancellation);
        return await Runs.StartAsync(plan, request, cancellation);
    });

    /// <summary>Which stages of a run would be reused, and why not; starts nothing.</summary>
    public Task<IReadOnlyList<StagePreview>> PreviewRunAsync(Plan plan, bool useCache, CancellationToken cancellation) =>
        new RunPreview(database, catalog, new StageCache(new ResultReader(database), artifacts)).WalkAsync(plan, useCache, cancellation);

    /// <summary>Takes away the artifacts that nothing needs any more.</summary>
    /// <param name="age">What is younger stays.</param>
    /// <param name="keepLast">Of each workflow so many runs stay, however old.</param>
    /// <param name="dry">Whether only to look.</param>
    /// <param name="progress">So many of so many are gone.</param>
    /// <exception cref="EngineException">Another process collects.</exception>
    public Task<GarbageReport> CollectGarbageAsync(
        TimeSpan age, int keepLast, bool dry, Action<int, int> progress, CancellationToken cancellation) =>
        Explain(() => new Garbage(database, LocalArtifacts, time).CollectAsync(age, keepLast, dry, progress, cancellation));

    /// <summary>The processes that execute stages, dead ones of the last day included.</summary>
    public Task<IReadOnlyList<WorkerView>> WorkersAsync(CancellationToken cancellation) =>
        new WorkerStore(database).ListAsync(cancellation);

    /// <summary>The counts that say whether anything is wrong.</summary>
    public Task<Overview> OverviewAsync(CancellationToken cancellation) => new OverviewReader(database).ReadAsync(cancellation);

    /// <summary>Where artifacts are; the disk that fills.</summary>
    public string DataFolder => options.DataFolder;

    /// <summary>Tells a worker to take nothing any more, and to leave when what it runs has ended.</summary>
    /// <param name="worker">Its id, or a part that no other living worker's id has.</param>
    /// <param name="handBack">Whether what it runs goes to others at its next checkpoint.</param>
    /// <returns>The worker as it was before.</returns>
    /// <exception cref="EngineException">There is no such worker, or more than one, or it is dead.</exception>
    public Task<WorkerView> DrainAsync(string worker, bool handBack, CancellationToken cancellation) => Explain(
        () => new WorkerStore(database).DrainAsync(worker, handBack ? DrainOrder.HandBack : DrainOrder.Finish, cancellation));

    /// <summary>Waiting stages are cancelled at once, running ones as soon as they notice, on whatever worker.</summary>
    /// <exception cref="EngineException">There is no such run, or it has ended.</exception>
    public async Task CancelRunAsync(Guid run, CancellationToken cancellation) => await Explain(async () =>
    {
        await Runs.CancelAsync(run, cancellation);
        return run;
    });

    /// <summary>What <see cref="ResetRunAsync"/> would do; changes nothing.</summary>
    /// <inheritdoc cref="ResetRunAsync"/>
    public async Task<ResetSummary> PreviewResetAsync(Guid run, RunAgain again, CancellationToken cancellation) =>
        await Explain(async () => await Runs.PreviewAsync(run, await RequestAsync(run, again, cancellation), cancellation));

    /// <summary>
    /// Runs what did not succeed, and what <paramref name="again"/> names; the rest is kept as long as its artifacts are
    /// whole. What did not succeed goes on from its checkpoint.
    /// </summary>
    /// <exception cref="EngineException">There is no such run or stage, nothing of it is left to run, or a new value does not fit.</exception>
    public async Task<ResetSummary> ResetRunAsync(Guid run, RunAgain again, CancellationToken cancellation) => await Explain(async () =>
    {
        await waker.SchedulerAsync(cancellation);
        return await Runs.ResetAsync(run, await RequestAsync(run, again, cancellation), cancellation);
    });

    /// <summary>Returns when the run changed, and after <paramref name="atMost"/> at the latest.</summary>
    public Task WaitForChangeAsync(Guid run, TimeSpan atMost, CancellationToken cancellation) =>
        changes.WaitAsync(run, atMost, cancellation);

    /// <summary>Waits until the run has ended.</summary>
    /// <exception cref="EngineException">There is no such run.</exception>
    public async Task<RunView> WaitAsync(Guid run, CancellationToken cancellation) => await Explain(async () =>
    {
        while (true)
        {
            try
            {
                if (await Runs.StateAsync(run, cancellation) != RunState.Running)
                    return (await Runs.FindAsync(run, cancellation))!;
                await changes.WaitAsync(run, LongestSilence, cancellation);
            }
            catch (Exception error) when (Recording.IsPassing(error))
            {
                await Task.Delay(LongestSilence, time, cancellation); // the run goes on without us
            }
        }
    });

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, true))
            return;
        if (scheduleLoop is not null)
            await scheduleLoop.DisposeAsync();
        if (worker is not null)
            await worker.DisposeAsync();
        await waker.DisposeAsync();
        await listener.DisposeAsync();
        Figures.Dispose();
        (artifacts as IDisposable)?.Dispose();
        work.Dispose();
        await database.DisposeAsync();
    }

    private async Task<ResetRequest> RequestAsync(Guid run, RunAgain again, CancellationToken cancellation)
    {
        var view = await Runs.FindAsync(run, cancellation) ?? throw new RunLookupException($"there is no run {run}");
        var request = again.Request(view, catalog);
        while (true)
        {
            // What would be kept is needed whole by what it feeds.
            var summary = await Runs.PreviewAsync(run, request, cancellation);
            var gone = new List<string>();
            foreach (var stage in view.Stages.Where(stage => summary.Kept.Contains(stage.Id)))
            {
                if (!await StageCache.AreWholeAsync(artifacts, stage.Outputs!.Value, cancellation))
                    gone.Add(stage.Id);
            }

            if (gone.Count == 0)
                return request;
            request = request with { Again = [.. request.Again ?? [], .. gone] };
        }
    }

    private async Task CheckGroupsAsync(Plan plan, CancellationToken cancellation)
    {
        if (plan.Stages.FirstOrDefault(stage => stage.Group != StageGroup.Cpu) is not { } special)
            return;
        await using var db = database.Create();
        var served = await WorkerStore.SlotsAsync(db, cancellation);
        if (served.ContainsKey(special.Group))
            return;
        throw new EngineException(
            $"stage '{special.Id}' needs a worker that serves {special.Group}, but "
            + (served.Count == 0 ? "no worker is alive" : $"the live workers serve {string.Join(", ", served.Keys.Order())}"));
    }

    private static async Task<T> Explain<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception error) when (error is RunLookupException or RunStateException or WorkerLookupException)
        {
            throw new EngineException(error.Message, error);
        }
    }
}
