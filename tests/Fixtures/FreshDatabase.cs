using Npgsql;
using Pipelines.Engine;
using Pipelines.Workflows;

namespace Pipelines.Tests.Fixtures;

/// <summary>A database and a data folder for one test class: <c>IClassFixture&lt;FreshDatabase&gt;</c>.</summary>
public sealed class FreshDatabase(TestCluster cluster) : IAsyncLifetime
{
    public string ConnectionString { get; private set; } = "";

    public string DataFolder { get; } = Directory.CreateTempSubdirectory("pipelines-data-").FullName;

    public async ValueTask InitializeAsync() =>
        ConnectionString = await cluster.CreateDatabaseAsync(TestContext.Current.CancellationToken);

    public EngineOptions Options => new(ConnectionString, DataFolder);

    /// <summary>An engine that executes nothing.</summary>
    public Task<PipelinesEngine> OpenAsync(Catalog catalog) =>
        PipelinesEngine.OpenAsync(Options, catalog, TestContext.Current.CancellationToken);

    /// <summary>An engine that works.</summary>
    /// <param name="slots">For stages of the group cpu.</param>
    /// <param name="gpus">Names are enough for stages that do not compute.</param>
    public async Task<PipelinesEngine> WorkAsync(Catalog catalog, int slots = 1, params string[] gpus)
    {
        var options = Options with { CpuSlots = slots, Gpus = gpus };
        var engine = await PipelinesEngine.OpenAsync(options, catalog, TestContext.Current.CancellationToken);
        await engine.WorkAsync(TestContext.Current.CancellationToken);
        return engine;
    }

    /// <summary>Returns when somebody here stands at a lock that another holds.</summary>
    public async Task UntilBlockedAsync(CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0", connection);
        while (await command.ExecuteScalarAsync(cancellation) is 0L)
            await Task.Delay(10, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (ConnectionString.Length > 0)
            await cluster.DropDatabaseAsync(ConnectionString);
        Directory.Delete(DataFolder, recursive: true);
    }
}
