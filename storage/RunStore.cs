namespace Pipelines.Storage;

/// <summary>Runs and their stages in Postgres. Every change of state is one method here.</summary>
public sealed class RunStore
{
    internal RunStore()
    {
    }

    public Task<RunView?> FindAsync(Guid run, CancellationToken cancellation) => throw new NotImplementedException();

    /// <param name="text">A run's id, the start or end of one that only it has, or <c>last</c>.</param>
    /// <exception cref="RunLookupException">No run is called that, or several are.</exception>
    public Task<RunView> FindAsync(string text, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>The newest runs first.</summary>
    public Task<IReadOnlyList<RunView>> ListAsync(int limit, CancellationToken cancellation) =>
        throw new NotImplementedException();

    /// <param name="stage">Null for all stages.</param>
    /// <param name="afterId">0 from the beginning.</param>
    public Task<IReadOnlyList<LogLine>> LogsAsync(
        Guid run, string? stage, long afterId, CancellationToken cancellation) => throw new NotImplementedException();
}
