using Npgsql;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>A database that lies about commits, cuts its connections, or does not answer.</summary>
public sealed class DatabaseFaultTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private Laboratory laboratory = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => laboratory = await Laboratory.OpenAsync(fresh);

    public async ValueTask DisposeAsync() => await laboratory.DisposeAsync();

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_commit_that_succeeds_and_is_reported_as_timed_out()
    {
        var expected = await laboratory.UndisturbedAsync();
        for (var i = 0; i < 2; i++)
            laboratory.StartWorker($"lie 0.3 {Tally.Seed + i}");
        var (runs, lost, twice, same) = (Tally.Long ? 20 : 3, 0, 0, true);
        for (var i = 0; i < runs; i++)
        {
            var run = await laboratory.StartRunAsync();
            var view = await laboratory.WaitAsync(run);
            var history = await laboratory.HistoryAsync(run);
            history.Check();
            (lost, twice) = (lost + history.Lost, twice + history.DoneTwice);
            same &= expected.SequenceEqual(Laboratory.Outputs(view));
        }

        Tally.Add($"commits done but reported as timed out, 30 % (seed {Tally.Seed})", runs * 10, lost, twice, same);
        Assert.True(same);
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task Connections_that_are_cut_again_and_again()
    {
        var expected = await laboratory.UndisturbedAsync();
        laboratory.StartWorker();
        laboratory.StartWorker();
        var random = new Random(Tally.Seed);
        var (cuts, wanted, lost, twice, same) = (0, Tally.Long ? 200 : 20, 0, 0, true);
        while (cuts < wanted)
        {
            var run = await StartPatientlyAsync();
            while ((await Laboratory.PatientlyAsync(() => laboratory.ViewAsync(run))).State == RunState.Running)
            {
                await Task.Delay(random.Next(50, 600), Cancellation);
                await CutAsync();
                cuts++;
                laboratory.CheckWorkersLive();
            }

            var view = await Laboratory.PatientlyAsync(() => laboratory.ViewAsync(run));
            var history = await Laboratory.PatientlyAsync(() => laboratory.HistoryAsync(run));
            Assert.Equal(RunState.Succeeded, view.State);
            history.Check();
            (lost, twice) = (lost + history.Lost, twice + history.DoneTwice);
            same &= expected.SequenceEqual(Laboratory.Outputs(view));
        }

        Tally.Add($"every connection to Postgres cut (seed {Tally.Seed})", cuts, lost, twice, same);
        Assert.True(same);
    }

    [Theory(Timeout = Laboratory.Longest)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_stays_open_and_carries_nothing(bool longerThanTheLease)
    {
        var expected = await laboratory.UndisturbedAsync();
        await using var proxy = new HalfOpenProxy(fresh.ConnectionString);
        laboratory.StartWorker(through: proxy.ConnectionString);
        var run = await laboratory.StartRunAsync();
        await laboratory.UntilAsync(run, view => view.Stages.Any(stage => stage is { Id: "train", State: StageState.Running, Progress.Done: > 0 }));

        proxy.Freeze();
        if (longerThanTheLease)
        {
            laboratory.StartWorker();
            await laboratory.UntilAsync(run, view => view.Stages.Single(stage => stage.Id == "train").Attempt > 1);
        }
        else
        {
            await Task.Delay(TimeSpan.FromSeconds(Laboratory.Lease / 4), Cancellation);
        }

        proxy.Thaw();
        var ended = await laboratory.WaitAsync(run);

        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(ended));
        Tally.Add($"half-open connection, {(longerThanTheLease ? "longer" : "shorter")} than the lease", 1, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
        if (!longerThanTheLease)
            Assert.Equal(0, history.Count("lost"));
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_private_Postgres_that_dies_under_its_workers_is_started_again_by_them()
    {
        var expected = await laboratory.UndisturbedAsync();
        var folder = Directory.CreateTempSubdirectory("pipelines-dies-").FullName;
        var deaths = Tally.Long ? 20 : 3;
        await using (var own = await Laboratory.OpenPrivateAsync(folder))
        {
            var pid = Directory.EnumerateFiles(folder, "postmaster.pid", SearchOption.AllDirectories).Single();
            var run = await own.StartRunAsync();
            own.StartWorker();
            own.StartWorker();
            var killed = 0;
            while ((await Laboratory.PatientlyAsync(() => own.ViewAsync(run))).State == RunState.Running)
            {
                if (killed == deaths)
                    await Laboratory.PatientlyAsync(() => own.WaitAsync(run));
                else if (await DieAsync(pid))
                    killed++;
            }

            var view = await Laboratory.PatientlyAsync(() => own.ViewAsync(run));
            var history = await Laboratory.PatientlyAsync(() => own.HistoryAsync(run));
            var same = expected.SequenceEqual(Laboratory.Outputs(view));
            Tally.Add("Postgres killed at once under its workers", killed, history.Lost, history.DoneTwice, same);
            Assert.Equal(RunState.Succeeded, view.State);
            history.Check();
            Assert.True(same);
            Assert.InRange(killed, 1, deaths);
        }

        Directory.Delete(folder, recursive: true);
    }

    /// <summary>An immediate shutdown: nothing is written any more.</summary>
    private static async Task<bool> DieAsync(string pidFile)
    {
        await Task.Delay(1500, Cancellation);
        if (!File.Exists(pidFile) || !int.TryParse(File.ReadLines(pidFile).FirstOrDefault(), out var pid))
            return false;
        using var killing = System.Diagnostics.Process.Start("kill", ["-QUIT", $"{pid}"]);
        await killing.WaitForExitAsync(Cancellation);
        return killing.ExitCode == 0;
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_worker_waits_for_a_database_that_is_away_when_it_starts()
    {
        var folder = Directory.CreateTempSubdirectory("pipelines-away-").FullName;
        var elsewhere = new NpgsqlConnectionStringBuilder(fresh.ConnectionString) { Host = folder }.ConnectionString;
        var worker = laboratory.StartWorker(through: elsewhere);
        while (!worker.Errors.Contains("waiting for it", StringComparison.Ordinal))
            await Task.Delay(50, Cancellation);
        var run = await laboratory.StartRunAsync();

        // There it is: the server's socket, where the worker looks for it.
        var server = new NpgsqlConnectionStringBuilder(fresh.ConnectionString);
        File.CreateSymbolicLink(Path.Combine(folder, $".s.PGSQL.{server.Port}"), Path.Combine(server.Host!, $".s.PGSQL.{server.Port}"));

        Assert.Equal(RunState.Succeeded, (await laboratory.WaitAsync(run)).State);
        Tally.Add("Postgres away when the worker starts", 1, 0, 0, true);
        Directory.Delete(folder, recursive: true);
    }

    private async Task CutAsync()
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(fresh.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private Task<Guid> StartPatientlyAsync() => Laboratory.PatientlyAsync(() => laboratory.StartRunAsync());
}
