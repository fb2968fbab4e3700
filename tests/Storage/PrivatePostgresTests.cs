using System.Diagnostics;
using Npgsql;
using Pipelines.Storage;
using Pipelines.Storage.Postgres;

namespace Pipelines.Tests.Storage;

public sealed class PrivatePostgresTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-postgres-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (var note in Directory.EnumerateFiles(folder, "postgres.place", SearchOption.AllDirectories))
            Directory.Delete(File.ReadAllText(note).Trim(), recursive: true);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Serves_until_the_last_one_leaves_and_then_starts_again_fast()
    {
        var data = Data("shared");
        var cold = Stopwatch.StartNew();
        var one = await OpenAsync(data, durable: true);
        cold.Stop();
        var join = Stopwatch.StartNew();
        var two = await OpenAsync(data, durable: true);
        join.Stop();

        await one.DisposeAsync();
        Assert.Equal(1, await AskAsync(two, "CREATE TABLE kept (); SELECT 1"));
        var stop = Stopwatch.StartNew();
        await two.DisposeAsync();
        stop.Stop();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => AskAsync(two, "SELECT 1"));

        var warm = Stopwatch.StartNew();
        await using var three = await OpenAsync(data, durable: true);
        warm.Stop();
        Assert.Equal(1, await AskAsync(three, "SELECT count(*)::int FROM pg_tables WHERE tablename = 'kept'"));
        TestContext.Current.SendDiagnosticMessage(
            $"cold {cold.ElapsedMilliseconds} ms, join {join.ElapsedMilliseconds} ms, "
            + $"stop {stop.ElapsedMilliseconds} ms, warm {warm.ElapsedMilliseconds} ms");
    }

    [Fact]
    public async Task Is_shared_by_many_that_start_at_once()
    {
        var data = Data("rush");

        var servers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => OpenAsync(data), Cancellation)));

        Assert.All(await Task.WhenAll(servers.Select(server => AskAsync(server, "SELECT 1"))), one => Assert.Equal(1, one));
        await Task.WhenAll(servers.Select(server => server.DisposeAsync().AsTask()));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => AskAsync(servers[0], "SELECT 1"));
    }

    [Fact]
    public async Task Does_not_mind_a_file_that_names_a_process_of_somebody_else()
    {
        var data = Data("stale");
        await (await OpenAsync(data)).DisposeAsync();
        var file = Directory.EnumerateFiles(data, "PG_VERSION", SearchOption.AllDirectories)
            .Select(version => Path.GetDirectoryName(version)!).Single(home => Path.GetFileName(home) == "data");
        await File.WriteAllTextAsync(
            Path.Combine(file, "postmaster.pid"), $"{Environment.ProcessId}\n{file}\n0\n5432\n\n\n", Cancellation);

        await using var server = await OpenAsync(data);

        Assert.Equal(1, await AskAsync(server, "SELECT 1"));
    }

    [Fact]
    public async Task Starts_again_at_once_after_its_server_was_killed()
    {
        var data = Data("killed");
        for (var round = 0; round < 3; round++)
        {
            await using var server = await OpenAsync(data);
            var file = Directory.EnumerateFiles(data, "postmaster.pid", SearchOption.AllDirectories).Single();
            var pid = int.Parse(File.ReadLines(file).First(), System.Globalization.CultureInfo.InvariantCulture);
            using (var postmaster = Process.GetProcessById(pid))
                postmaster.Kill();

            await using var next = await OpenAsync(data);

            Assert.Equal(1, await AskAsync(next, "SELECT 1"));
        }
    }

    [Fact]
    public async Task Finds_a_place_when_its_account_cannot_reach_the_data_folder()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root's server runs under another account");
        // The test's folder is one that only root may enter; the one below is ours, and may be opened.
        var data = Path.Combine(folder, "closed", "data");

        await using var server = await OpenAsync(data);

        Assert.Equal(1, await AskAsync(server, "SELECT 1"));
        Assert.StartsWith("/var/lib/pipelines/clusters/", server.Description.Split(" in ")[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Finds_a_short_socket_for_a_long_path()
    {
        var data = Data(string.Join("/", Enumerable.Repeat("a-rather-long-name-of-a-folder", 4)));

        await using var server = await OpenAsync(data);

        Assert.Equal(1, await AskAsync(server, "SELECT 1"));
    }

    [Fact]
    public async Task Says_which_package_is_missing()
    {
        var none = new PostgresOptions(Data("none"), TimeProvider.System) { Installed = [] };
        var error = await Assert.ThrowsAsync<DatabaseException>(() => PrivatePostgres.OpenAsync(none, Cancellation));
        var old = await Assert.ThrowsAsync<DatabaseException>(() => Task.FromResult(
            PostgresBinaries.Choose([new PostgresBinaries("/usr/lib/postgresql/17/bin", 17)], 15, "/data/postgres")));

        Assert.Contains("apt-get install postgresql)", error.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install postgresql-15)", old.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shows_the_end_of_the_log_of_a_server_that_does_not_start()
    {
        var data = Data("broken");
        await (await OpenAsync(data)).DisposeAsync();
        var settings = Directory.EnumerateFiles(data, "postgresql.conf", SearchOption.AllDirectories).Single();
        await File.AppendAllTextAsync(settings, "no_such_setting = 1\n", Cancellation);

        var error = await Assert.ThrowsAsync<DatabaseException>(() => OpenAsync(data));

        Assert.Contains("no_such_setting", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A folder that another account can reach.</summary>
    private string Data(string name)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
        return Path.Combine(folder, name);
    }

    private static Task<PrivatePostgres> OpenAsync(string data, bool durable = false) =>
        PrivatePostgres.OpenAsync(new PostgresOptions(data, TimeProvider.System) { Durable = durable }, Cancellation);

    private static async Task<int> AskAsync(PrivatePostgres server, string sql)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return (int)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
