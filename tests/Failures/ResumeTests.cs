using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>The commands that go on with a run, after each way in which one can stop.</summary>
public sealed class ResumeTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private Laboratory laboratory = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => laboratory = await Laboratory.OpenAsync(fresh);

    public async ValueTask DisposeAsync() => await laboratory.DisposeAsync();

    [Theory(Timeout = Laboratory.Longest)]
    [InlineData("a crash", "resume")]
    [InlineData("a cancellation", "resume")]
    [InlineData("a failure", "resume")]
    [InlineData("a cancellation", "rerun")]
    public async Task A_run_that_stopped_in_mid_stage_goes_on_and_run_again_begins_anew(string after, string command)
    {
        var expected = await laboratory.UndisturbedAsync();
        var run = await laboratory.StartRunAsync(crashes: after == "a failure" ? 1 : 1000);
        await StopAsync(run, after);

        string[] from = command == "rerun" ? ["--from", "train"] : [];
        var done = await laboratory.CommandAsync([command, run.ToString(), .. from, "--out", "results"]);

        Assert.True(done.Code == 0, done.Errors);
        var view = await laboratory.ViewAsync(run);
        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(view));
        Tally.Add($"{command} after {after} in mid-stage", 1, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
        Assert.All(view.Stages, stage => Assert.Equal(StageState.Succeeded, stage.State));
        // Retrying goes on from the checkpoint, running again does not.
        var last = history.Attempts.Last(attempt => attempt.Stage == "train");
        if (command == "resume")
            Assert.True(last.FromStep > 0, done.Output);
        else
            Assert.Null(last.FromStep);
        Assert.Equal(1, history.Attempts.Count(attempt => attempt.Stage == "text"));
    }

    /// <summary>Leaves the run with its training stage stopped after some steps, and nobody at work.</summary>
    private async Task StopAsync(Guid run, string how)
    {
        var worker = laboratory.StartWorker();
        await laboratory.UntilAsync(run, view => Train(view) is { State: StageState.Running, Progress.Done: > 2 });
        if (how == "a cancellation")
        {
            // From here, since a program that first has to start may come when the run has ended.
            await laboratory.Engine.CancelRunAsync(run, Cancellation);
            Assert.Equal(RunState.Cancelled, (await laboratory.WaitAsync(run)).State);
            await worker.LeaveAsync(Cancellation);
            return;
        }

        worker.Kill();
        while (!await laboratory.AskAsync<bool>($"SELECT lease_until < clock_timestamp() FROM pipelines.stages WHERE run_id = '{run}' AND id = 'train'"))
            await Task.Delay(50, Cancellation);
        if (how != "a failure")
            return;
        // One that looks after the lapsed lease, and finds that this was one dead worker too many.
        using var other = laboratory.StartWorker();
        Assert.Equal(RunState.Failed, (await laboratory.WaitAsync(run)).State);
        await other.LeaveAsync(Cancellation);
    }

    private static StageView Train(RunView run) => run.Stages.Single(stage => stage.Id == "train");
}
