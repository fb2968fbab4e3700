using System.Diagnostics;
using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Failures;

/// <summary>Stages that take their process with them, or do not stop when they are told to.</summary>
public sealed class IsolationFaultTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    /// <summary>Seconds: the promise for a cancellation across machines.</summary>
    private const double Prompt = 2;

    private Laboratory laboratory = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => laboratory = await Laboratory.OpenAsync(fresh);

    public async ValueTask DisposeAsync() => await laboratory.DisposeAsync();

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_native_crash_of_an_isolated_stage_takes_nothing_else_down()
    {
        var expected = await laboratory.UndisturbedAsync();
        var marks = Directory.CreateDirectory(Path.Combine(laboratory.Data, "marks-crash")).FullName;
        laboratory.StartWorker($"crash calibrate {marks}", slots: 2);

        var run = await laboratory.StartRunAsync(2, null, "calibrate");
        var view = await laboratory.WaitAsync(run);

        laboratory.CheckWorkersLive();
        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(view));
        Tally.Add("a native crash of an isolated stage", 1, history.Lost, history.DoneTwice, same);
        Assert.Equal(RunState.Succeeded, view.State);
        history.Check();
        Assert.True(same);
        Assert.Equal(
            [("failed", 139), ("succeeded", 0)],
            history.Attempts.Where(attempt => attempt.Stage == "calibrate").Select(attempt => (attempt.Outcome, attempt.ExitCode)));
        Assert.Equal(0, history.Count("lost"));
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task An_isolated_stage_that_crashes_every_time_fails_and_its_worker_goes_on()
    {
        laboratory.StartWorker("crash calibrate", slots: 2);

        var run = await laboratory.StartRunAsync(3, null, "calibrate");
        var view = await laboratory.WaitAsync(run);

        laboratory.CheckWorkersLive();
        var states = view.Stages.ToDictionary(stage => stage.Id, stage => stage.State);
        Tally.Add("an isolated stage that crashes every time", 3, 0, 0, true);
        Assert.Equal(
            (StageState.Failed, StageState.Succeeded, StageState.Blocked),
            (states["calibrate"], states["evaluate-dense"], states["prune"]));
        var error = view.Stages.Single(stage => stage.Id == "calibrate").Error;
        Assert.Contains("SIGSEGV", error);
        Assert.Contains("3 crashes in a row", error);
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task An_isolated_stage_that_gets_no_more_memory_says_so()
    {
        laboratory.StartWorker("starve train");
        var large = new { hidden = 1024, layers = 8, heads = 8, intermediate = 4096, vocabulary = 300, steps = 2, batch = 2 };
        var train = Toys.Stage("train", "model.train", large, new() { ["data"] = "text.data" });

        var run = await laboratory.StartStagesAsync(
            Text("text"), train with { Isolation = Isolation.Process }, Text("after"));
        var view = await laboratory.WaitAsync(run);

        laboratory.CheckWorkersLive();
        Tally.Add("no more memory for an isolated stage (RLIMIT_AS)", 1, 0, 0, true);
        Assert.Equal(
            [StageState.Succeeded, StageState.Failed, StageState.Succeeded],
            new[] { "text", "train", "after" }.Select(id => Of(view, id).State));
        Assert.Contains("ran out of memory", Of(view, "train").Error);
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task The_process_of_a_stage_is_killed_in_mid_stage_and_the_stage_goes_on_from_its_checkpoint()
    {
        var expected = await laboratory.UndisturbedAsync();
        var worker = laboratory.StartWorker();
        var run = await laboratory.StartRunAsync(3, null, "train", "recover");
        foreach (var stage in new[] { "train", "recover" })
        {
            await laboratory.UntilAsync(run, view => Of(view, stage) is { State: StageState.Running, Progress.Done: > 2 });
            Kill(Assert.Single(worker.StageProcesses()));
        }

        var view = await laboratory.WaitAsync(run);

        laboratory.CheckWorkersLive();
        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(view));
        Tally.Add("kill -9 of an isolated stage's process, as for want of memory", 2, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
        foreach (var stage in new[] { "train", "recover" })
        {
            var attempts = history.Attempts.Where(attempt => attempt.Stage == stage).ToArray();
            Assert.Equal([137, 0], attempts.Select(attempt => attempt.ExitCode));
            Assert.True(attempts[1].FromStep > 0);
            Assert.Contains(
                await laboratory.Engine.Runs.LogsAsync(run, stage, 0, Cancellation),
                line => line.Attempt == 2 && line.Text == $"goes on after step {attempts[1].FromStep}");
        }
    }

    [Fact(Timeout = Laboratory.Longest)]
    public async Task A_worker_that_is_killed_leaves_no_process_of_a_stage()
    {
        var expected = await laboratory.UndisturbedAsync();
        var worker = laboratory.StartWorker();
        var run = await laboratory.StartRunAsync(3, null, "train");
        await laboratory.UntilAsync(run, view => Of(view, "train") is { State: StageState.Running, Progress.Done: > 2 });
        using var orphan = Process.GetProcessById(Assert.Single(worker.StageProcesses()));

        worker.Kill();
        await orphan.WaitForExitAsync(Cancellation);
        laboratory.StartWorker();
        var view = await laboratory.WaitAsync(run);

        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(view));
        Tally.Add("kill -9 of the worker of an isolated stage", 1, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
    }

    [Theory(Timeout = Laboratory.Longest)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stage_that_will_not_stop_does_not_keep_its_run_from_being_cancelled(bool isolated)
    {
        var worker = laboratory.StartWorker("deaf deaf", slots: 2);
        var run = await laboratory.StartStagesAsync(
            Text("done"), Text("deaf") with { Isolation = isolated ? Isolation.Process : Isolation.None });
        await laboratory.UntilAsync(run, view => Of(view, "deaf").State == StageState.Running && Of(view, "done").State == StageState.Succeeded);

        var began = Stopwatch.GetTimestamp();
        await laboratory.Engine.CancelRunAsync(run, Cancellation);
        var view = await laboratory.WaitAsync(run);
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;

        Tally.Add($"a cancelled stage that will not stop, {(isolated ? "in its own process" : "on a thread")}", 1, 0, 0, true);
        Assert.Equal(RunState.Cancelled, view.State);
        Assert.Equal((StageState.Succeeded, StageState.Cancelled), (Of(view, "done").State, Of(view, "deaf").State));
        Assert.InRange(took, Laboratory.Grace, Laboratory.Grace + Prompt);
        Assert.Empty(worker.StageProcesses());

        // The worker is of use, with the slot that is left, and leaves when it is told to.
        Assert.Equal(RunState.Succeeded, (await laboratory.WaitAsync(await laboratory.StartStagesAsync(Text("next")))).State);
        await worker.LeaveAsync(Cancellation);
        Assert.Equal(0, worker.ExitCode);
    }

    private static StageDefinition Text(string id) =>
        Toys.Stage(id, "data.synthetic", new { characters = 20_000, evaluationCharacters = 4_000 });

    private static StageView Of(RunView run, string stage) => run.Stages.Single(one => one.Id == stage);

    private static void Kill(int process)
    {
        using var victim = Process.GetProcessById(process);
        victim.Kill();
    }
}
