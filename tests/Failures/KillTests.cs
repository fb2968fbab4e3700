using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>Workers that are killed: at each point where it could matter, at random, and by the stage itself.</summary>
public sealed class KillTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private Laboratory laboratory = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => laboratory = await Laboratory.OpenAsync(fresh);

    public async ValueTask DisposeAsync() => await laboratory.DisposeAsync();

    [Theory(Timeout = Laboratory.Longest)]
    [InlineData(FaultPoint.Claimed, 10)]
    [InlineData(FaultPoint.ArtifactWritten, 10)]
    [InlineData(FaultPoint.StageRecorded, 10)]
    [InlineData(FaultPoint.CheckpointWritten, 3)]
    [InlineData(FaultPoint.CheckpointRecorded, 3)]
    public async Task A_worker_dies_at_this_point_of_every_stage(string point, int deaths)
    {
        var expected = await laboratory.UndisturbedAsync();
        var marks = Directory.CreateDirectory(Path.Combine(laboratory.Data, $"marks-{point}")).FullName;
        var run = await laboratory.StartRunAsync();

        using var keeping = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var keeper = laboratory.KeepAliveAsync($"die {point} {marks}", keeping.Token);
        var view = await laboratory.WaitAsync(run);
        // The one that recorded the last stage dies when the run has ended already.
        while (Directory.EnumerateFiles(marks).Count() < deaths)
            await Task.Delay(20, Cancellation);
        await keeping.CancelAsync();
        await keeper;

        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(view));
        Tally.Add($"kill -9 at '{point}' of every stage", deaths, history.Lost, history.DoneTwice, same);
        Assert.Equal(RunState.Succeeded, view.State);
        Assert.Equal(deaths, Directory.EnumerateFiles(marks).Count());
        history.Check();
        Assert.True(same);

        // On a machine that is busy enough, a living worker loses a stage as well.
        Assert.InRange(history.Count("lost"), point == FaultPoint.StageRecorded ? 0 : deaths, int.MaxValue);
        if (point == FaultPoint.CheckpointRecorded)
        {
            foreach (var stage in new[] { "calibrate", "train", "recover" })
                Assert.Contains(history.Attempts, attempt => attempt.Stage == stage && attempt.FromStep == 1);
        }
    }

    [Fact]
    public async Task Workers_are_killed_at_random()
    {
        var kills = Tally.Long ? 200 : 12;
        var random = new Random(Tally.Seed);
        var expected = await laboratory.UndisturbedAsync();
        var workers = new[] { laboratory.StartWorker(), laboratory.StartWorker() };
        var (killed, lost, twice, same) = (0, 0, 0, true);
        while (killed < kills)
        {
            var run = await laboratory.StartRunAsync();
            while ((await laboratory.ViewAsync(run)).State == RunState.Running)
            {
                await laboratory.Engine.WaitForChangeAsync(run, TimeSpan.Zero, Cancellation);
                await Task.Delay(random.Next(100, 2500), Cancellation);
                if (killed >= kills)
                    continue;
                var victim = random.Next(2);
                workers[victim].Kill();
                workers[victim] = laboratory.StartWorker();
                killed++;
            }

            var view = await laboratory.WaitAsync(run);
            var history = await laboratory.HistoryAsync(run);
            Assert.True(view.State == RunState.Succeeded, $"seed {Tally.Seed}: the run has {view.State}");
            history.Check();
            (lost, twice) = (lost + history.Lost, twice + history.DoneTwice);
            same &= expected.SequenceEqual(Laboratory.Outputs(view));
        }

        // Whatever has the name of an artifact is whole, also what nobody came to refer to.
        foreach (var artifact in Directory.EnumerateDirectories(Path.Combine(laboratory.Data, "artifacts"), "*", SearchOption.AllDirectories).Where(folder => Path.GetFileName(folder).Length == 64))
            await laboratory.Engine.Artifacts.OpenAsync($"sha256:{Path.GetFileName(artifact)}", Cancellation);

        Tally.Add($"kill -9 of one of two workers at random (seed {Tally.Seed})", killed, lost, twice, same);
        Assert.True(same, $"seed {Tally.Seed}: the results differ");
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_stage_that_kills_its_workers_fails_and_others_go_on()
    {
        var run = await laboratory.StartRunAsync(crashes: 3);
        using var keeping = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var keeper = laboratory.KeepAliveAsync("poison calibrate", keeping.Token);

        var view = await laboratory.WaitAsync(run);
        await keeping.CancelAsync();
        await keeper;

        var states = view.Stages.ToDictionary(stage => stage.Id, stage => stage.State);
        Tally.Add("a stage that kills its worker every time", 3, 0, 0, true);
        Assert.Equal(RunState.Failed, view.State);
        Assert.Equal(
            (StageState.Failed, StageState.Succeeded, StageState.Blocked),
            (states["calibrate"], states["evaluate-dense"], states["prune"]));
        Assert.Contains("3 workers in a row died", view.Stages.Single(stage => stage.Id == "calibrate").Error);
    }
}
