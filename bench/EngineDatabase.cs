using System.Globalization;
using Npgsql;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Storage.Postgres;

namespace Pipelines.Bench;

/// <summary>
/// A database of the bench's own: in a private cluster in a temporary folder, which writes to the disk as a user's does,
/// or on the server that is named. Gone at the end.
/// </summary>
internal sealed class EngineDatabase : IAsyncDisposable
{
    /// <summary>What the bench itself asks begins like this, and is not counted.</summary>
    public const string Mark = "/* bench */ ";

    private readonly string? server;
    private PrivatePostgres? own;
    private NpgsqlConnection? connection;

    private EngineDatabase(string? server)
    {
        this.server = server;
        Folder = Directory.CreateTempSubdirectory("pipelines-bench-").FullName;
    }

    public string Folder { get; }

    public string ConnectionString { get; private set; } = "";

    /// <summary>Commands that the bench itself gave; each is a transaction.</summary>
    public int Commands { get; private set; }

    /// <param name="server">A connection string; null for a private cluster.</param>
    /// <exception cref="EngineException">It cannot be reached, or no database can be made there.</exception>
    public static async Task<EngineDatabase> CreateAsync(string? server, CancellationToken cancellation)
    {
        var database = new EngineDatabase(server);
        try
        {
            await database.OpenAsync(cancellation);
            return database;
        }
        catch (Exception error)
        {
            await database.DisposeAsync();
            if (error is NpgsqlException or DatabaseException or ArgumentException)
                throw new EngineException($"the bench has no database: {error.Message}", error);
            throw;
        }
    }

    public async Task<T> AskAsync<T>(string sql, CancellationToken cancellation)
    {
        Commands++;
        await using var command = new NpgsqlCommand(Mark + sql, await ConnectionAsync(cancellation)) { CommandTimeout = 0 };
        return (T)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>
    /// Waits until nobody else is connected, and this connection is new: a server process that ends has told all that it
    /// did; one that lives tells it seconds later.
    /// </summary>
    public async Task SettleAsync(CancellationToken cancellation)
    {
        await CloseAsync();
        while (await AskAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            + " AND backend_type = 'client backend'", cancellation) > 0)
            await Task.Delay(20, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        if (own is not null)
            await own.DisposeAsync();
        else if (ConnectionString.Length > 0)
            await ExecuteAsync(server!, $"DROP DATABASE {Name(ConnectionString)} WITH (FORCE)", CancellationToken.None);
        // Where the server's account cannot get into the folder, the cluster is elsewhere, and a note says where.
        var place = Path.Combine(Folder, "postgres.place");
        if (File.Exists(place))
            Directory.Delete((await File.ReadAllTextAsync(place)).Trim(), recursive: true);
        Directory.Delete(Folder, recursive: true);
    }

    private async Task OpenAsync(CancellationToken cancellation)
    {
        if (server is null)
        {
            own = await PrivatePostgres.OpenAsync(new PostgresOptions(Folder, TimeProvider.System), cancellation);
            ConnectionString = own.ConnectionString;
            return;
        }

        var text = new NpgsqlConnectionStringBuilder(server)
        {
            Database = string.Create(CultureInfo.InvariantCulture, $"pipelines_bench_{Environment.ProcessId}"),
        };
        await ExecuteAsync(server, $"CREATE DATABASE {text.Database}", cancellation);
        ConnectionString = text.ConnectionString;
    }

    private async Task<NpgsqlConnection> ConnectionAsync(CancellationToken cancellation)
    {
        if (connection is not null)
            return connection;
        connection = new NpgsqlConnection(Unpooled(ConnectionString));
        await connection.OpenAsync(cancellation);
        return connection;
    }

    private async Task CloseAsync()
    {
        if (connection is not null)
            await connection.DisposeAsync();
        connection = null;
    }

    private static async Task ExecuteAsync(string server, string sql, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(Unpooled(server));
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static string Unpooled(string text) => new NpgsqlConnectionStringBuilder(text) { Pooling = false }.ConnectionString;

    private static string Name(string text) => new NpgsqlConnectionStringBuilder(text).Database!;
}
