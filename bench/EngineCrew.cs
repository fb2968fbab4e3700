using Pipelines.Engine;

namespace Pipelines.Bench;

/// <summary>
/// Whoever starts runs, and the workers: engines of their own, as processes have them, but all in this process, so one
/// clock sees a run's start and its stages. What they need beside Postgres, they share: cores and the collector.
/// </summary>
internal sealed class EngineCrew : IAsyncDisposable
{
    private readonly List<PipelinesEngine> workers = [];

    private EngineCrew(PipelinesEngine client) => Client = client;

    /// <summary>Executes nothing.</summary>
    public PipelinesEngine Client { get; }

    public static async Task<EngineCrew> OpenAsync(
        EngineDatabase database, EngineNothing nothing, CancellationToken cancellation) =>
        new(await PipelinesEngine.OpenAsync(
            new EngineOptions(database.ConnectionString, database.Folder), nothing.Catalog, cancellation));

    /// <param name="slots">Stages that each of the workers runs at once.</param>
    public async Task WorkAsync(
        int count, int slots, EngineDatabase database, EngineNothing nothing, CancellationToken cancellation)
    {
        var options = new EngineOptions(database.ConnectionString, database.Folder) { CpuSlots = slots };
        for (var i = 0; i < count; i++)
        {
            workers.Add(await PipelinesEngine.OpenAsync(options, nothing.Catalog, cancellation));
            await workers[^1].WorkAsync(cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in workers)
            await worker.DisposeAsync();
        await Client.DisposeAsync();
    }
}
