using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>Workers whose clocks are apart, and one whose clock is set back. Postgres has the machine's.</summary>
public sealed class ClockTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    /// <summary>Seconds: a wake that is not heard is found by the next look, which comes every 10 s for what is 5 s old.</summary>
    private const double LatestStage = 20;

    /// <summary>Seconds: an alarm that is not heard is found by the look that comes every minute.</summary>
    private const double LatestFire = 65;

    private Laboratory laboratory = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => laboratory = await Laboratory.OpenAsync(fresh);

    public async ValueTask DisposeAsync() => await laboratory.DisposeAsync();

    [Theory(Timeout = Laboratory.Longest)]
    [InlineData(5)]
    [InlineData(300)]
    public async Task Workers_whose_clocks_are_apart_lose_nothing_and_do_nothing_twice(int seconds)
    {
        var expected = await laboratory.UndisturbedAsync();
        using var fast = new FakeClock(TimeSpan.FromSeconds(seconds));
        using var slow = new FakeClock(TimeSpan.FromSeconds(-seconds));
        var workers = new[] { laboratory.StartWorker(clock: fast), laboratory.StartWorker(clock: slow) };
        await AliveAsync(2);
        var run = await laboratory.StartRunAsync();
        var view = await laboratory.UntilAsync(run, view => Of(view, "train") is { State: StageState.Running, Progress.Done: > 0 });
        await CheckClockAsync(run, "train", workers[0], Of(view, "train").Worker!, seconds);

        // A lease is the database's time: the other takes over when it lapses, not before and not five minutes later.
        var owner = Owner(workers, view, "train");
        var died = TimeProvider.System.GetTimestamp();
        workers[owner].Kill();
        await laboratory.UntilAsync(run, view => Of(view, "train").Attempt > 1);
        Assert.InRange(TimeProvider.System.GetElapsedTime(died).TotalSeconds, 0, Laboratory.Lease + LatestStage);
        workers[owner] = laboratory.StartWorker(clock: owner == 0 ? fast : slow);
        var ended = await laboratory.WaitAsync(run);

        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(ended));
        var late = await LatestStartAsync(run);
        Tally.Add($"clocks apart by {2 * seconds} s (a stage waited {late:f1} s at most)", 1, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
        Assert.Equal(1, history.Count("lost"));
        Assert.InRange(late, 0, LatestStage);
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_worker_whose_clock_is_behind_takes_at_once_what_others_start()
    {
        using var slow = new FakeClock(TimeSpan.FromMinutes(-5));
        laboratory.StartWorker(clock: slow);
        await AliveAsync(1);

        var run = await laboratory.StartRunAsync();
        await laboratory.WaitAsync(run);

        var late = await LatestStartAsync(run);
        Tally.Add($"a worker 5 min behind whoever starts (waited {late:f1} s)", 1, 0, 0, true);
        Assert.InRange(late, 0, 8);
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_worker_whose_clock_is_set_back_in_the_middle_of_a_stage_goes_on()
    {
        var expected = await laboratory.UndisturbedAsync();
        using var clock = new FakeClock(TimeSpan.Zero);
        laboratory.StartWorker(clock: clock);
        var run = await laboratory.StartRunAsync();
        await laboratory.UntilAsync(run, view => Of(view, "train") is { State: StageState.Running, Progress.Done: > 0 });
        clock.Set(TimeSpan.FromMinutes(-5));

        var first = await laboratory.WaitAsync(run);
        var next = await laboratory.StartRunAsync();
        var second = await laboratory.WaitAsync(next);

        Assert.True(second.State == RunState.Succeeded, string.Join('\n', second.Stages.Select(stage => $"{stage.Id} {stage.State} {stage.Error}")));
        var histories = new[] { await laboratory.HistoryAsync(run), await laboratory.HistoryAsync(next) };
        var same = expected.SequenceEqual(Laboratory.Outputs(first)) && expected.SequenceEqual(Laboratory.Outputs(second));
        var late = await LatestStartAsync(next);
        Tally.Add(
            $"a clock set back by 5 min in mid-run (then waited {late:f1} s)", 1, histories.Sum(history => history.Lost),
            histories.Sum(history => history.DoneTwice), same);
        Assert.All(histories, history => history.Check());
        Assert.Equal(0, histories[0].Count("lost"));
        Assert.True(same);
        Assert.InRange(late, 0, LatestStage);
    }

    [Theory(Timeout = Laboratory.Longest)]
    [InlineData(5)]
    [InlineData(300)]
    public async Task A_schedule_fires_once_at_each_time_whatever_the_workers_clocks_say(int seconds)
    {
        using var fast = new FakeClock(TimeSpan.FromSeconds(seconds));
        using var slow = new FakeClock(TimeSpan.FromSeconds(-seconds));
        laboratory.StartWorker(clock: fast);
        laboratory.StartWorker(clock: slow);
        await AliveAsync(2);
        const int Times = 5;
        var name = $"apart-{seconds}";
        await laboratory.AddScheduleAsync(name, seed: seconds);
        var last = await laboratory.SetBackAsync(name, Times, TimeSpan.FromSeconds(4));

        var fires = await laboratory.FiresAsync(name, Times);

        var due = await laboratory.AskAsync<DateTime>($"SELECT min(decided_at) FROM pipelines.schedule_fires WHERE schedule = '{name}'");
        var late = (due - last.UtcDateTime).TotalSeconds;
        var twice = fires.Count - fires.Select(fire => fire.Run).Distinct().Count();
        Tally.Add($"a schedule, clocks apart by {2 * seconds} s ({late:f1} s late)", Times, Times - fires.Count, twice, true);
        Assert.Equal(Times, fires.Select(fire => fire.Time).Distinct().Count());
        Assert.Equal(0, twice);
        Assert.All(fires, fire => Assert.Equal((FireOutcome.Started, RunState.Succeeded), (fire.Outcome, fire.State)));
        Assert.InRange(late, 0, LatestFire);
    }

    /// <summary>The worker sees the clock that it was given: it dates its log lines by it.</summary>
    private async Task CheckClockAsync(Guid run, string stage, WorkerProcess fast, string owner, int seconds)
    {
        var ahead = owner.Contains($"-{fast.Id}-", StringComparison.Ordinal) ? seconds : -seconds;
        var seen = await laboratory.AskAsync<double>($"""
            SELECT extract(epoch FROM min(line.at) - stage.started_at)::float8
            FROM pipelines.stages stage JOIN pipelines.stage_logs line ON line.run_id = stage.run_id AND line.stage = stage.id
            WHERE stage.run_id = '{run}' AND stage.id = '{stage}' GROUP BY stage.started_at
            """);
        Assert.InRange(seen, ahead - 4, ahead + 4);
    }

    private async Task AliveAsync(int workers)
    {
        while (await laboratory.AskAsync<long>("SELECT count(*) FROM pipelines.workers WHERE seen_at > now() - interval '3 seconds'") < workers)
            await Task.Delay(50, Cancellation);
    }

    /// <summary>The longest that a stage was ready and nobody took it, by the database's clock.</summary>
    private async Task<double> LatestStartAsync(Guid run) => await laboratory.AskAsync<double>($"""
        SELECT max(extract(epoch FROM started_at - ready_at))::float8 FROM pipelines.stages WHERE run_id = '{run}'
        """);

    private static int Owner(WorkerProcess[] workers, RunView view, string stage) =>
        Array.FindIndex(workers, worker => Of(view, stage).Worker!.Contains($"-{worker.Id}-", StringComparison.Ordinal));

    private static StageView Of(RunView run, string stage) => run.Stages.Single(one => one.Id == stage);
}
