using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>The engine in one process: the database, the artifacts, and, once <see cref="WorkAsync"/> was called, a worker.</summary>
public sealed class PipelinesEngine : IAsyncDisposable
{
    /// <summary>Brings the database up and its schema up to date; executes nothing yet.</summary>
    /// <exception cref="EngineException">The database cannot be started or reached.</exception>
    public static Task<PipelinesEngine> OpenAsync(
        EngineOptions options, Catalog catalog, CancellationToken cancellation) => throw new NotImplementedException();

    public RunStore Runs => throw new NotImplementedException();

    public IArtifacts Artifacts => throw new NotImplementedException();

    /// <summary>Which database this is, without its password.</summary>
    public string DatabaseDescription => throw new NotImplementedException();

    /// <summary>Starts to execute stages in this process, and returns; disposing ends it.</summary>
    public Task WorkAsync(CancellationToken cancellation) => throw new NotImplementedException();

    /// <exception cref="EngineException">A stage needs what no live worker serves.</exception>
    public Task<Guid> StartRunAsync(Plan plan, bool useCache, CancellationToken cancellation) =>
        throw new NotImplementedException();

    /// <summary>Waiting stages are cancelled at once, running ones as soon as they notice, on whatever worker.</summary>
    public Task CancelRunAsync(Guid run, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Runs everything again that did not succeed; finished stages are kept.</summary>
    public Task<ResumeSummary> ResumeRunAsync(Guid run, CancellationToken cancellation) =>
        throw new NotImplementedException();

    /// <summary>Returns when the run changed, and after <paramref name="atMost"/> at the latest.</summary>
    public Task WaitForChangeAsync(Guid run, TimeSpan atMost, CancellationToken cancellation) =>
        throw new NotImplementedException();

    /// <summary>Waits until the run has ended.</summary>
    public Task<RunView> WaitAsync(Guid run, CancellationToken cancellation) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
