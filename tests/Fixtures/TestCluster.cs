using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Pipelines.Storage;
using Pipelines.Storage.Postgres;
using Pipelines.Tests.Fixtures;

[assembly: AssemblyFixture(typeof(TestCluster))]

namespace Pipelines.Tests.Fixtures;

/// <summary>
/// One PostgreSQL for all tests of the assembly, started by the first that asks for a database. It lies in one place
/// per working tree, so a killed test run leaves nothing that the next one does not take over.
/// </summary>
public sealed class TestCluster : IAsyncDisposable
{
    private readonly SemaphoreSlim starting = new(1);
    private PrivatePostgres? server;
    private int databases;

    /// <returns>The connection string of a new database with every table, made from a template.</returns>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellation)
    {
        await StartAsync(cancellation);
        var name = string.Create(
            CultureInfo.InvariantCulture, $"test_{Environment.ProcessId}_{Interlocked.Increment(ref databases)}");
        // Postgres copies a template for one caller at a time.
        await starting.WaitAsync(cancellation);
        try
        {
            await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {Template}", cancellation);
        }
        finally
        {
            starting.Release();
        }

        return Connection(name);
    }

    public async Task DropDatabaseAsync(string connection) => await ExecuteAsync(
        $"DROP DATABASE IF EXISTS {new NpgsqlConnectionStringBuilder(connection).Database} WITH (FORCE)",
        CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await ExecuteAsync($"DROP DATABASE {Template}", CancellationToken.None);
            await server.DisposeAsync();
        }

        starting.Dispose();
    }

    private static string Template => string.Create(CultureInfo.InvariantCulture, $"test_{Environment.ProcessId}_template");

    private async Task StartAsync(CancellationToken cancellation)
    {
        await starting.WaitAsync(cancellation);
        try
        {
            if (server is not null)
                return;
            var place = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(AppContext.BaseDirectory)))[..12];
            server = await PrivatePostgres.OpenAsync(
                new PostgresOptions($"{Path.GetTempPath()}pipelines-tests-{place}", TimeProvider.System) { Durable = false },
                cancellation);
            await DropLeftoversAsync(cancellation);
            await ExecuteAsync($"CREATE DATABASE {Template}", cancellation);
            await using (await Database.OpenAsync(Connection(Template), "unused", TimeProvider.System, cancellation))
            {
            }
        }
        finally
        {
            starting.Release();
        }
    }

    /// <summary>The databases of test processes that were killed.</summary>
    private async Task DropLeftoversAsync(CancellationToken cancellation)
    {
        var names = new List<string>();
        await using (var connection = new NpgsqlConnection(Connection("postgres")))
        {
            await connection.OpenAsync(cancellation);
            await using var command = new NpgsqlCommand(
                @"SELECT datname FROM pg_database WHERE datname LIKE 'test\_%'", connection);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
                names.Add(reader.GetString(0));
        }

        foreach (var name in names.Where(name => !Directory.Exists($"/proc/{name.Split('_')[1]}")))
            await ExecuteAsync($"DROP DATABASE {name} WITH (FORCE)", cancellation);
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(Connection("postgres"));
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private string Connection(string database) =>
        new NpgsqlConnectionStringBuilder(server!.ConnectionString) { Database = database, Pooling = database != "postgres" && database != Template }
            .ConnectionString;
}
