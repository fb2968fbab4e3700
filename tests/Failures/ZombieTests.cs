using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>Workers that come back when nobody reckons with them, or leave in good order.</summary>
public sealed class ZombieTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private Laboratory laboratory = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => laboratory = await Laboratory.OpenAsync(fresh);

    public async ValueTask DisposeAsync() => await laboratory.DisposeAsync();

    [Theory(Timeout = Laboratory.Longest)]
    [InlineData("train")]
    [InlineData("recover")]
    public async Task A_worker_that_was_stopped_past_its_lease_changes_nothing_when_it_goes_on(string stage)
    {
        var expected = await laboratory.UndisturbedAsync();
        var zombie = laboratory.StartWorker();
        var run = await laboratory.StartRunAsync();
        await laboratory.UntilAsync(run, view => Of(view, stage) is { State: StageState.Running, Progress.Done: > 0 });
        zombie.Pause();

        var other = laboratory.StartWorker();
        await laboratory.UntilAsync(run, view => Of(view, stage).Attempt > 1);
        zombie.Resume();
        var ended = await laboratory.WaitAsync(run);

        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(ended));
        Tally.Add($"SIGSTOP in '{stage}' past the lease, then SIGCONT", 1, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
        Assert.Contains(history.Attempts, attempt => attempt.Stage == stage && attempt.Outcome == "lost");

        // It lives, and is of use again.
        other.Kill();
        Assert.Equal(RunState.Succeeded, (await laboratory.WaitAsync(await laboratory.StartRunAsync())).State);
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task Workers_that_are_restarted_one_after_the_other_hand_back_what_they_run()
    {
        var expected = await laboratory.UndisturbedAsync();
        var workers = new[] { laboratory.StartWorker(), laboratory.StartWorker() };
        var run = await laboratory.StartRunAsync();
        var restarts = 0;
        foreach (var stage in new[] { "train", "recover" })
        {
            var view = await laboratory.UntilAsync(run, view => Of(view, stage) is { State: StageState.Running, Progress.Done: > 0 });
            var owner = Array.FindIndex(workers, worker => Of(view, stage).Worker!.Contains($"-{worker.Id}-", StringComparison.Ordinal));
            await workers[owner].LeaveAsync(Cancellation);
            Assert.Equal(0, workers[owner].ExitCode);
            workers[owner] = laboratory.StartWorker();
            restarts++;
        }

        var ended = await laboratory.WaitAsync(run);

        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(ended));
        Tally.Add("SIGTERM of each worker in turn", restarts, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
        Assert.Equal(0, history.Count("failed"));

        // A stage may also have ended before it heard; one that was handed back goes on where it was.
        var handedBack = history.Attempts.Where(attempt => attempt.Outcome == "handed-back").Select(attempt => attempt.Stage).ToArray();
        Assert.NotEmpty(handedBack);
        Assert.All(
            history.Attempts.Where(attempt => attempt.Outcome == "succeeded" && handedBack.Contains(attempt.Stage)),
            attempt => Assert.True(attempt.FromStep > 0));
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task Workers_that_are_drained_one_after_the_other_finish_what_they_run()
    {
        var expected = await laboratory.UndisturbedAsync();
        var workers = new[] { laboratory.StartWorker(), laboratory.StartWorker() };
        var run = await laboratory.StartRunAsync();
        string[] stages = ["train", "calibrate", "recover"];
        foreach (var stage in stages)
        {
            var view = await laboratory.UntilAsync(run, view => Of(view, stage).State == StageState.Running);
            var owner = Array.FindIndex(workers, worker => Of(view, stage).Worker!.Contains($"-{worker.Id}-", StringComparison.Ordinal));
            await laboratory.Engine.DrainAsync(Of(view, stage).Worker!, handBack: false, Cancellation);
            await workers[owner].EndsAsync(Cancellation);
            Assert.Equal((0, ""), (workers[owner].ExitCode, workers[owner].Errors));
            workers[owner] = laboratory.StartWorker();
        }

        var ended = await laboratory.WaitAsync(run);

        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(ended));
        Tally.Add("rolling restart by drain", stages.Length, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
        Assert.All(history.Attempts, attempt => Assert.Equal(("succeeded", 1), (attempt.Outcome, attempt.Number)));
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_worker_that_is_told_to_stop_while_it_starts_stops()
    {
        var stops = Tally.Long ? 20 : 3;
        for (var i = 0; i < stops; i++)
        {
            var worker = laboratory.StartWorker();
            while (await laboratory.AskAsync<long>($"SELECT count(*) FROM pipelines.workers WHERE pid = {worker.Id}") == 0)
                await Task.Delay(5, Cancellation);
            await worker.LeaveAsync(Cancellation);
            Assert.Contains(worker.ExitCode, new int?[] { 0, 130 });
        }

        Tally.Add("SIGTERM of a worker that is starting", stops, 0, 0, true);
    }

    private static StageView Of(RunView run, string stage) => run.Stages.Single(one => one.Id == stage);
}
