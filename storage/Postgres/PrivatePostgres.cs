using System.Globalization;
using Npgsql;

namespace Pipelines.Storage.Postgres;

/// <summary>
/// A PostgreSQL server of our own, for who names no database. The first process that needs it starts it, the last one
/// that leaves stops it: each holds a shared lock while it uses the server, and whoever starts or stops it stands in the
/// door (a lock of its own). The kernel drops the locks of a killed process, so the count is never wrong; a server that
/// nobody is left to stop serves the next process that comes.
/// </summary>
internal sealed class PrivatePostgres : IAsyncDisposable
{
    private const string DatabaseName = "pipelines";
    private const string User = "pipelines";

    private readonly PostgresOptions options;
    private readonly ServerAccount account;
    private readonly ClusterPlace place;
    private PostgresBinaries binaries = null!;
    private int? version;
    private FileLock? use;

    private PrivatePostgres(PostgresOptions options, ServerAccount account, ClusterPlace place)
    {
        this.options = options;
        this.account = account;
        this.place = place;
    }

    public string ConnectionString => Connection(DatabaseName);

    public string Description => $"private PostgreSQL {version} in {place.Home}";

    private string DoorFile => Path.Combine(options.DataFolder, "postgres.door");
    private string UseFile => Path.Combine(options.DataFolder, "postgres.use");
    private string Settings => Path.Combine(place.Data, "pipelines.conf");

    /// <exception cref="DatabaseException">Says what is missing, or why the server does not start.</exception>
    public static async Task<PrivatePostgres> OpenAsync(PostgresOptions options, CancellationToken cancellation)
    {
        options = options with { DataFolder = Path.GetFullPath(options.DataFolder) };
        Directory.CreateDirectory(options.DataFolder);
        var account = ServerAccount.Current();
        using var door = await FileLock.ExclusiveAsync(
            Path.Combine(options.DataFolder, "postgres.door"), options.Time, cancellation);
        var server = new PrivatePostgres(
            options, account, await ClusterPlace.FindAsync(options.DataFolder, account, cancellation));
        await server.EnterAsync(cancellation);
        return server;
    }

    /// <summary>Leaves; stops the server when nobody else uses it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref use, null) is not { } held)
            return;
        using var door = await FileLock.ExclusiveAsync(DoorFile, options.Time, CancellationToken.None);
        held.Dispose();
        using var alone = FileLock.TryExclusive(UseFile);
        if (alone is null)
            return;
        await PgCtlAsync(["stop", "-m", "fast"], CancellationToken.None);
        if (!place.Socket.StartsWith(place.Home, StringComparison.Ordinal))
            ProcessFolder.Delete(place.Socket);
    }

    /// <summary>Starts the server again if it died under us: somebody has to, and all who use it may try.</summary>
    /// <exception cref="DatabaseException">Why it does not start.</exception>
    public async Task ReviveAsync(CancellationToken cancellation)
    {
        using var door = await FileLock.ExclusiveAsync(DoorFile, options.Time, cancellation);
        if (use is not null && !await AnswersAsync(cancellation))
            await StartAsync(cancellation);
    }

    private async Task EnterAsync(CancellationToken cancellation)
    {
        version = await VersionAsync(cancellation);
        binaries = PostgresBinaries.Choose(options.Installed, version, place.Home);
        if (version is null)
        {
            await CreateAsync(cancellation);
            version = await VersionAsync(cancellation);
        }

        if (!await AnswersAsync(cancellation))
            await StartAsync(cancellation);
        await CreateDatabaseAsync(cancellation);
        use = FileLock.TryShared(UseFile)
            ?? throw new DatabaseException($"{UseFile} is locked by something that is not Pipelines");
    }

    private async Task<int?> VersionAsync(CancellationToken cancellation)
    {
        var file = Path.Combine(place.Data, "PG_VERSION");
        return File.Exists(file)
            ? int.Parse(await File.ReadAllTextAsync(file, cancellation), CultureInfo.InvariantCulture)
            : null;
    }

    /// <summary>Made beside its place and renamed: half a cluster is none.</summary>
    private async Task CreateAsync(CancellationToken cancellation)
    {
        var draft = place.Data + ".new";
        ProcessFolder.Delete(draft);
        var (code, output) = await account.RunAsync(
            [
                binaries.InitDb, "-D", draft, "-U", User, "--auth=trust", "--encoding=UTF8", "--locale=C",
                .. options.Durable ? Array.Empty<string>() : ["--no-sync"],
            ],
            cancellation);
        if (code != 0)
            throw new DatabaseException($"PostgreSQL cannot make its files in {place.Home}: {output}");
        await File.AppendAllTextAsync(
            Path.Combine(draft, "postgresql.conf"), "include 'pipelines.conf'\n", cancellation);
        Directory.Move(draft, place.Data);
    }

    private async Task StartAsync(CancellationToken cancellation)
    {
        await File.WriteAllTextAsync(Settings, options.Settings(place.Socket), cancellation);
        if (await IsUpAfterAllAsync(cancellation))
            return;
        // pg_ctl gives the server a session of its own, so Ctrl-C at our terminal does not reach it.
        var (code, output) = await PgCtlAsync(["start", "-l", place.Log], cancellation);
        if (code == 0)
            return;
        var last = File.Exists(place.Log) ? string.Join("\n", File.ReadLines(place.Log).TakeLast(12)) : output;
        throw new DatabaseException($"the private PostgreSQL in {place.Home} does not start; the end of its log:\n{last}");
    }

    /// <summary>
    /// A server that is just starting or stopping is waited for, and so are the processes that outlive a killed one: they
    /// may still write. When none is left, the files that name a dead server are removed; the number in them may be
    /// somebody else's by now, or that of a process that nobody has buried, and PostgreSQL would not start.
    /// </summary>
    private async Task<bool> IsUpAfterAllAsync(CancellationToken cancellation)
    {
        var (_, data) = await account.RunAsync(["realpath", place.Data], cancellation);
        var began = options.Time.GetTimestamp();
        while (ServerLivesIn(data))
        {
            if (await AnswersAsync(cancellation))
                return true;
            if (options.Time.GetElapsedTime(began) > TimeSpan.FromSeconds(60))
                throw new DatabaseException($"a PostgreSQL runs in {place.Home}, but does not answer; its log: {place.Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), options.Time, cancellation);
        }

        File.Delete(place.PidFile);
        File.Delete(place.SocketLock);
        return false;
    }

    /// <summary>All processes of a server, and no other, have its data for their current folder.</summary>
    private static bool ServerLivesIn(string data) => Directory.EnumerateDirectories("/proc")
        .Where(process => int.TryParse(Path.GetFileName(process), out _))
        .Any(process => CurrentFolder(process) == data);

    private static string? CurrentFolder(string process)
    {
        try
        {
            return File.ResolveLinkTarget(Path.Combine(process, "cwd"), returnFinalTarget: false)?.FullName;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // gone by now, dead, or not ours to look at
        }
    }

    private Task<(int Code, string Output)> PgCtlAsync(string[] command, CancellationToken cancellation) =>
        account.RunAsync(
            [binaries.PgCtl, command[0], "-D", place.Data, "-w", "-t", "60", "-s", .. command[1..]], cancellation);

    private async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        try
        {
            await using var connection = new NpgsqlConnection(Connection("postgres"));
            await connection.OpenAsync(cancellation);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private async Task CreateDatabaseAsync(CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(Connection("postgres"));
        await connection.OpenAsync(cancellation);
        await using var find = new NpgsqlCommand(
            $"SELECT 1 FROM pg_database WHERE datname = '{DatabaseName}'", connection);
        if (await find.ExecuteScalarAsync(cancellation) is not null)
            return;
        await using var create = new NpgsqlCommand($"CREATE DATABASE {DatabaseName}", connection);
        await create.ExecuteNonQueryAsync(cancellation);
    }

    private string Connection(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = place.Socket,
        Port = 5432,
        Username = User,
        Database = database,
        Pooling = database == DatabaseName,
        MaxPoolSize = 16,
    }.ConnectionString;
}
