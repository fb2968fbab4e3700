using System.Text.Json;
using Pipelines.Storage;

namespace Pipelines.Tests.Storage;

/// <summary>The rule for running again, on a diamond with a tail: a → b, c → d → e.</summary>
public sealed class RunResetTests
{
    private const StageState Done = StageState.Succeeded;

    [Fact]
    public void Resuming_runs_what_did_not_succeed_and_keeps_the_finished_branch()
    {
        var (summary, rows) = Of(new ResetRequest(), Done, Done, StageState.Failed, StageState.Blocked, StageState.Blocked);

        Assert.Equal(["c", "d", "e"], summary.WillRun);
        Assert.Equal(["a", "b"], summary.Kept);
        Assert.Empty(summary.ThrownAway);
        Assert.Equal([("c", 0), ("d", 1), ("e", 1)], rows.Select(row => (row.Id, row.Feeders)));
        Assert.DoesNotContain(rows, row => row.Fresh);
    }

    [Fact]
    public void Running_again_from_a_stage_takes_what_it_feeds_with_it_and_says_what_is_thrown_away()
    {
        var (summary, rows) = Of(new ResetRequest("b"), Done, Done, Done, Done, Done);

        Assert.Equal(["b", "d", "e"], summary.WillRun);
        Assert.Equal(["a", "c"], summary.Kept);
        Assert.Equal(["b", "d", "e"], summary.ThrownAway);
        Assert.Equal([("b", 0, true), ("d", 1, false), ("e", 1, false)], rows.Select(row => (row.Id, row.Feeders, row.Fresh)));
    }

    [Fact]
    public void Running_only_a_stage_again_leaves_what_it_feeds_alone()
    {
        var (summary, rows) = Of(new ResetRequest("b", Only: true), Done, Done, Done, Done, Done);

        Assert.Equal(["b"], summary.WillRun);
        Assert.Equal([("b", 0)], rows.Select(row => (row.Id, row.Feeders)));
    }

    [Fact]
    public void A_result_that_is_gone_is_made_again_before_what_needs_it()
    {
        var (summary, rows) = Of(
            new ResetRequest(Again: ["a"]), Done, Done, StageState.Cancelled, StageState.Cancelled, StageState.Cancelled);

        Assert.Equal(["a", "c", "d", "e"], summary.WillRun);
        Assert.Equal([("a", 0), ("c", 1), ("d", 1), ("e", 1)], rows.Select(row => (row.Id, row.Feeders)));
    }

    [Fact]
    public void What_runs_on_a_live_worker_is_waited_for()
    {
        var (summary, rows) = Of(new ResetRequest(), Done, StageState.Running, StageState.Failed, StageState.Blocked, StageState.Blocked);

        Assert.Equal(["b", "c", "d", "e"], summary.WillRun);
        Assert.Equal([("c", 0), ("d", 2), ("e", 1)], rows.Select(row => (row.Id, row.Feeders)));
        var error = Assert.Throws<RunStateException>(() =>
            Of(new ResetRequest("a"), Done, StageState.Running, StageState.Waiting, StageState.Waiting, StageState.Waiting));
        Assert.Equal("stage 'b' is running: wait for it, or cancel the run", error.Message);
    }

    [Fact]
    public void A_stage_that_failed_goes_on_from_its_checkpoint_and_one_that_is_run_again_does_not()
    {
        var stages = Stages(Done, Done, StageState.Failed, StageState.Blocked, StageState.Blocked)
            .Select(stage => stage with { Step = 40 }).ToList();

        Assert.Equal(40, RunReset.Of(stages, new ResetRequest()).Summary.GoesOn["c"]);
        Assert.DoesNotContain("c", RunReset.Of(stages, new ResetRequest("c")).Summary.GoesOn.Keys);
    }

    [Fact]
    public void A_new_value_for_a_stage_that_is_kept_is_refused()
    {
        var changed = new Dictionary<string, JsonElement> { ["a"] = default };

        var error = Assert.Throws<RunStateException>(() => Of(new ResetRequest("b", Changed: changed), Done, Done, Done, Done, Done));

        Assert.Equal("the new values change stage 'a', which would keep its result: run again from it", error.Message);
    }

    [Fact]
    public void A_stage_that_does_not_exist_is_named()
    {
        var error = Assert.Throws<RunStateException>(() => Of(new ResetRequest("f"), Done, Done, Done, Done, Done));

        Assert.StartsWith("the run has no stage 'f'", error.Message, StringComparison.Ordinal);
    }

    private static (ResetSummary Summary, IReadOnlyList<ResetRow> Rows) Of(ResetRequest request, params StageState[] states) =>
        RunReset.Of(Stages(states), request);

    private static List<ResetStage> Stages(params StageState[] states) =>
    [
        new("a", states[0], ["b", "c"], null), new("b", states[1], ["d"], null), new("c", states[2], ["d"], null),
        new("d", states[3], ["e"], null), new("e", states[4], [], null),
    ];
}
