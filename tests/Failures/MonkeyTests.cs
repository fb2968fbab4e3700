using System.Diagnostics;
using Pipelines.Storage;
using Pipelines.Storage.Postgres;

namespace Pipelines.Tests.Failures;

/// <summary>A Postgres that is somebody else's, and is stopped hard and started again all the time.</summary>
public sealed class MonkeyTests
{
    private const int RunsAtOnce = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Postgres_is_stopped_and_started_again_and_again_under_load()
    {
        var folder = Directory.CreateTempSubdirectory("pipelines-monkey-").FullName;
        await using (var server = await PrivatePostgres.OpenAsync(new PostgresOptions(folder, TimeProvider.System), Cancellation))
        {
            var data = Directory.CreateDirectory(Path.Combine(folder, "shared")).FullName;
            await using var laboratory = await Laboratory.OpenAsync(server.ConnectionString, data);
            var expected = await laboratory.UndisturbedAsync();
            var before = await laboratory.AskAsync<long>("SELECT count(*) FROM pipelines.runs");
            laboratory.StartWorker();
            laboratory.StartWorker();

            using var over = new CancellationTokenSource(Tally.Long ? TimeSpan.FromMinutes(20) : TimeSpan.FromSeconds(15));
            var monkey = StopAgainAndAgainAsync(server, folder, over.Token);
            var histories = new List<History>();
            var same = true;
            do
            {
                var runs = new List<Guid>();
                while (runs.Count < RunsAtOnce)
                {
                    // Who did not hear the answer asks again, and gets the run that it had.
                    var key = Guid.NewGuid().ToString();
                    runs.Add(await Laboratory.PatientlyAsync(() => laboratory.StartRunAsync(key: key)));
                }

                foreach (var run in runs)
                {
                    var view = await Laboratory.PatientlyAsync(() => laboratory.WaitAsync(run));
                    Assert.True(view.State == RunState.Succeeded, $"seed {Tally.Seed}: the run has {view.State}");
                    histories.Add(await Laboratory.PatientlyAsync(() => laboratory.HistoryAsync(run)));
                    same &= expected.SequenceEqual(Laboratory.Outputs(view));
                }

                laboratory.CheckWorkersLive();
            }
            while (!over.IsCancellationRequested);

            var stops = await monkey;
            Tally.Add(
                $"Postgres stopped hard, away for 0 to 2 s ({histories.Count} runs, seed {Tally.Seed})", stops,
                histories.Sum(history => history.Lost), histories.Sum(history => history.DoneTwice), same);
            histories.ForEach(history => history.Check());
            Assert.True(same);
            Assert.Equal(histories.Count, await laboratory.AskAsync<long>("SELECT count(*) FROM pipelines.runs") - before);
            Assert.InRange(stops, 3, int.MaxValue);
        }

        Directory.Delete(folder, recursive: true);
    }

    /// <returns>How often.</returns>
    private static async Task<int> StopAgainAndAgainAsync(PrivatePostgres server, string folder, CancellationToken over)
    {
        var random = new Random(Tally.Seed);
        var (least, most) = Tally.Long ? (5_000, 40_000) : (1_500, 3_500);
        var stops = 0;
        while (true)
        {
            await Task.Delay(random.Next(least, most), over).ContinueWith(_ => { }, TaskScheduler.Default);
            if (over.IsCancellationRequested)
                return stops;
            var pid = File.ReadLines(Directory.EnumerateFiles(folder, "postmaster.pid", SearchOption.AllDirectories).Single()).First();
            using (var killing = Process.Start("kill", ["-QUIT", pid]))
                await killing.WaitForExitAsync(CancellationToken.None);
            stops++;
            await Task.Delay(random.Next(Tally.Long ? 2_000 : 1_000), CancellationToken.None);
            await server.ReviveAsync(CancellationToken.None);
        }
    }
}
