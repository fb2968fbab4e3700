using System.Text.RegularExpressions;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>Two machines, as two data folders: one with the server, one that reaches artifacts through it.</summary>
public sealed class RemoteWorkerTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private const string Token = "a-token-of-these-two-machines";

    private readonly string elsewhere = Directory.CreateTempSubdirectory("pipelines-elsewhere-").FullName;
    private Laboratory laboratory = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => laboratory = await Laboratory.OpenAsync(fresh);

    public async ValueTask DisposeAsync()
    {
        await laboratory.DisposeAsync();
        Directory.Delete(elsewhere, recursive: true);
    }

    [Fact(Timeout = 2 * Laboratory.Longest)]
    public async Task A_worker_on_another_machine_is_killed_at_random()
    {
        var expected = await laboratory.UndisturbedAsync();
        var (server, address) = await laboratory.StartServerAsync(Token);
        var remotes = new List<WorkerProcess> { laboratory.StartRemoteWorker(address, elsewhere, Token) };
        var random = new Random(Tally.Seed);
        var (kills, killed, lost, twice, same, remote) = (Tally.Long ? 60 : 5, 0, 0, 0, true, 0);
        while (killed < kills || remote == 0)
        {
            var run = await laboratory.StartRunAsync();
            while ((await laboratory.ViewAsync(run)).State == RunState.Running)
            {
                await Task.Delay(random.Next(500, 3000), Cancellation);
                if (killed >= kills)
                    continue;
                remotes[^1].Kill();
                remotes.Add(laboratory.StartRemoteWorker(address, elsewhere, Token));
                killed++;
            }

            var view = await laboratory.WaitAsync(run);
            var history = await laboratory.HistoryAsync(run);
            Assert.True(view.State == RunState.Succeeded, $"seed {Tally.Seed}: the run has {view.State}");
            history.Check();
            (lost, twice) = (lost + history.Lost, twice + history.DoneTwice);
            same &= expected.SequenceEqual(Laboratory.Outputs(view));
            remote += history.Attempts.Count(attempt => attempt.Outcome == "succeeded"
                && remotes.Any(one => attempt.Worker.Contains($"-{one.Id}-", StringComparison.Ordinal)));
            await CheckArtifactsAsync(view);
        }

        laboratory.CheckWorkersLive();
        Tally.Add($"kill -9 of the worker with its artifacts elsewhere (seed {Tally.Seed})", killed, lost, twice, same);
        Assert.True(same);
        Assert.All([server, .. remotes], process => Assert.DoesNotContain(Token, process.Output + process.Errors));
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_server_that_is_killed_and_comes_back_costs_a_remote_worker_only_time()
    {
        var expected = await laboratory.UndisturbedAsync();
        var (server, address) = await laboratory.StartServerAsync(Token);
        var remote = laboratory.StartRemoteWorker(address, elsewhere, Token);
        var run = await laboratory.StartRunAsync();
        await laboratory.UntilAsync(run, view => view.Stages.Any(stage => stage is { Id: "train", State: StageState.Running, Progress.Done: > 0 }));

        server.Kill();
        await laboratory.UntilAsync(run, view => view.Stages.Any(stage => stage.Id == "train" && stage.Worker!.Contains($"-{remote.Id}-", StringComparison.Ordinal)));
        await laboratory.StartServerAsync(Token, address);
        var view = await laboratory.WaitAsync(run);

        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(view));
        Tally.Add("kill -9 of the server under a worker elsewhere", 1, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
        Assert.Equal(0, history.Count("failed"));
    }

    /// <summary>Whatever a result names is at the server, and whole.</summary>
    private async Task CheckArtifactsAsync(RunView run)
    {
        var hashes = run.Stages.SelectMany(stage => Regex.Matches(stage.Outputs!.Value.GetRawText(), "sha256:[0-9a-f]{64}").Select(match => match.Value)).Distinct().ToList();
        Assert.NotEmpty(hashes);
        foreach (var hash in hashes)
            await laboratory.Engine.Artifacts.OpenAsync(hash, Cancellation);
    }
}
