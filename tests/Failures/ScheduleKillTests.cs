using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>Workers that are killed while they decide what becomes of a schedule's times.</summary>
public sealed class ScheduleKillTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private const int Times = 5;

    private Laboratory laboratory = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        laboratory = await Laboratory.OpenAsync(fresh);
        await laboratory.ExecuteAsync("TRUNCATE pipelines.runs, pipelines.schedules CASCADE");
    }

    public async ValueTask DisposeAsync() => await laboratory.DisposeAsync();

    [Theory(Timeout = Laboratory.Longest)]
    [InlineData(FaultPoint.ScheduleTaken)]
    [InlineData(FaultPoint.ScheduleNoted)]
    [InlineData(FaultPoint.ScheduleStarted)]
    [InlineData(FaultPoint.ScheduleCommitted)]
    public async Task A_worker_dies_at_this_point_of_every_schedule(string point)
    {
        var marks = Directory.CreateDirectory(Path.Combine(laboratory.Data, $"marks-{point}")).FullName;
        var names = Enumerable.Range(0, 3).Select(i => $"{point}-{i}").ToArray();
        foreach (var name in names)
        {
            await laboratory.AddScheduleAsync(name, seed: 1);
            await laboratory.SetBackAsync(name, Times, TimeSpan.Zero);
        }

        using var keeping = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var keeper = laboratory.KeepAliveAsync($"die {point} {marks}", keeping.Token, count: 3);
        await CheckAsync($"kill -9 at '{point}' of every schedule", names.Length, names, () => keeping.CancelAsync());
        await keeper;

        Assert.Equal(names, Directory.EnumerateFiles(marks).Select(file => Path.GetFileName(file)).Order());
    }

    [Fact]
    public async Task Schedulers_are_killed_at_random_while_schedules_fire()
    {
        var kills = Tally.Long ? 100 : 6;
        var random = new Random(Tally.Seed);
        var workers = Enumerable.Range(0, 3).Select(_ => laboratory.StartWorker()).ToArray();
        var names = new List<string>();
        for (var killed = 0; killed < kills; killed++)
        {
            for (var i = 0; i < 3; i++)
            {
                names.Add($"random-{killed}-{i}");
                await laboratory.AddScheduleAsync(names[^1], seed: killed % 3);
                await laboratory.SetBackAsync(names[^1], Times, TimeSpan.FromMilliseconds(random.Next(500)));
            }

            await Task.Delay(random.Next(1000), Cancellation);
            var victim = random.Next(workers.Length);
            workers[victim].Kill();
            workers[victim] = laboratory.StartWorker();
        }

        await CheckAsync($"kill -9 of one of three schedulers (seed {Tally.Seed})", kills, [.. names], () => Task.CompletedTask);
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_scheduler_that_is_killed_and_restarted_again_and_again_starts_nothing_twice()
    {
        var restarts = Tally.Long ? 10 : 4;
        const string name = "restarted";
        await laboratory.AddScheduleAsync(name, seed: 1);
        for (var i = 0; i < restarts; i++)
        {
            await laboratory.SetBackAsync(name, Times, TimeSpan.Zero);
            var worker = laboratory.StartWorker();
            await laboratory.CaughtUpAsync(name);
            worker.Kill();
        }

        using var last = laboratory.StartWorker();
        await CheckAsync("kill -9 and restart, the same times due each time", restarts, [name], () => Task.CompletedTask);
    }

    /// <summary>Each time has one run, each run one time, and all have ended well.</summary>
    private async Task CheckAsync(string failure, int tries, string[] names, Func<Task> end)
    {
        var fires = new List<FireView>();
        foreach (var name in names)
            fires.AddRange(await laboratory.FiresAsync(name, Times));
        await end();
        var lost = (names.Length * Times) - fires.Count;
        var runs = await laboratory.AskAsync<long>("SELECT count(*) FROM pipelines.runs");
        Tally.Add(failure, tries, Math.Max(0, lost), (int)(runs - fires.Count), fires.All(fire => fire.State == RunState.Succeeded));
        Assert.Equal(0, lost);
        Assert.All(fires, fire => Assert.Equal((FireOutcome.Started, RunState.Succeeded), (fire.Outcome, fire.State)));
        Assert.Equal(fires.Count, fires.Select(fire => fire.Run).Distinct().Count());
        Assert.Equal(fires.Count, runs);
    }
}
