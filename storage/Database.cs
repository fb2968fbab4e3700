using Microsoft.EntityFrameworkCore;
using Npgsql;
using Pipelines.Storage.Postgres;

namespace Pipelines.Storage;

/// <summary>The one database: the given one, or the private cluster; its tables up to date.</summary>
internal sealed class Database : IAsyncDisposable
{
    /// <summary>Any number will do, so long as every Pipelines asks for the same one.</summary>
    private const long MigrationLock = 7_145_253_001;

    private readonly PrivatePostgres? own;
    private readonly DbContextOptions<PipelinesDb> options;

    private Database(string connection, string description, PrivatePostgres? own)
    {
        this.own = own;
        Description = description;
        Source = NpgsqlDataSource.Create(Guarded(connection));
        options = Options(Source);
    }

    public NpgsqlDataSource Source { get; }

    /// <summary>Which database this is, without its password.</summary>
    public string Description { get; }

    /// <param name="connection">Null for the private cluster in the data folder.</param>
    /// <exception cref="DatabaseException">It cannot be started, reached or brought up to date.</exception>
    public static async Task<Database> OpenAsync(
        string? connection, string dataFolder, TimeProvider time, CancellationToken cancellation)
    {
        var database = connection is null
            ? await OpenPrivateAsync(new PostgresOptions(dataFolder, time), cancellation)
            : Given(connection);
        try
        {
            await database.MigrateAsync(cancellation);
            return database;
        }
        catch (Exception error)
        {
            await database.DisposeAsync();
            if (error is NpgsqlException)
                throw new DatabaseException($"the database {database.Description} cannot be used: {error.Message}", error);
            throw;
        }
    }

    public static DbContextOptions<PipelinesDb> Options(NpgsqlDataSource source) =>
        new DbContextOptionsBuilder<PipelinesDb>()
            .UseNpgsql(source, npgsql => npgsql.MigrationsHistoryTable(PipelinesDb.MigrationsTable, PipelinesDb.Schema))
            .Options;

    public PipelinesDb Create() => new(options);

    /// <summary>Starts the private server again if it died; a server that was given is its owner's business.</summary>
    public Task ReviveAsync(CancellationToken cancellation) => own?.ReviveAsync(cancellation) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        if (own is not null)
            await own.DisposeAsync();
    }

    private static async Task<Database> OpenPrivateAsync(PostgresOptions options, CancellationToken cancellation)
    {
        var server = await PrivatePostgres.OpenAsync(options, cancellation);
        return new Database(server.ConnectionString, server.Description, server);
    }

    private static string Guarded(string connection)
    {
        var text = new NpgsqlConnectionStringBuilder(connection);

        // Nothing here leaves anything behind in a session, and the same few statements come again and again: a third of a
        // stage's commits were resets (docs/log.md). Who goes through a pooler of transactions says Max Auto Prepare=0.
        text.NoResetOnClose = true;
        if (!text.ContainsKey("Max Auto Prepare"))
            (text.MaxAutoPrepare, text.AutoPrepareMinUsages) = (200, 2);

        // A process that is stopped, or cut off, in the middle of a transaction would keep its locks for as long: the
        // others wait no longer than this.
        text.Options = $"{text.Options} -c idle_in_transaction_session_timeout=10s".TrimStart();
        return text.ConnectionString;
    }

    private static Database Given(string connection)
    {
        try
        {
            var text = new NpgsqlConnectionStringBuilder(connection) { ApplicationName = "pipelines" };
            // A server that vanished without a word is noticed.
            if (text.KeepAlive == 0)
                text.KeepAlive = 30;
            return new Database(text.ConnectionString, $"{text.Host}:{text.Port}/{text.Database}", null);
        }
        catch (ArgumentException error)
        {
            throw new DatabaseException(
                $"no connection string: {error.Message} (expected Host=…;Database=…;Username=…;Password=…)", error);
        }
    }

    /// <summary>One process at a time; the others find it done.</summary>
    private async Task MigrateAsync(CancellationToken cancellation)
    {
        await using var connection = await Source.OpenConnectionAsync(cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT pg_advisory_lock({MigrationLock})";
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellation);
        try
        {
            await using var db = Create();
            var applied = await db.Database.GetAppliedMigrationsAsync(cancellation);
            var known = db.Database.GetMigrations().ToList();
            if (applied.Except(known).LastOrDefault() is { } newer)
            {
                throw new DatabaseException(
                    $"the database {Description} was made by a newer Pipelines (it has the migration {newer})");
            }

            if (known.Except(applied).Any())
                await db.Database.MigrateAsync(cancellation);
        }
        finally
        {
            command.CommandText = $"SELECT pg_advisory_unlock({MigrationLock})";
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }
}
