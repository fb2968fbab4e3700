using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Workflows;

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
        var changed = new Dictionary<string, PlannedStage> { ["a"] = Toys.Plan(Toys.Number("a", 1)).Stages[0] };

        var error = Assert.Throws<RunStateException>(() => Of(new ResetRequest("b", Changed: changed), Done, Done, Done, Done, Done));

        Assert.Equal("the new values change stage 'a', which would keep its result: run again from it", error.Message);
    }

    [Fact]
    public void A_stage_that_does_not_exist_is_named()
    {
        var error = Assert.Throws<RunStateException>(() => Of(new ResetRequest("f"), Done, Done, Done, Done, Done));

        Assert.StartsWith("the run has no stage 'f'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_skipped_stage_stays_skipped_and_keeps_nobody_waiting()
    {
        var (summary, rows) = Of(new ResetRequest(), Done, StageState.Skipped, StageState.Failed, StageState.Blocked, StageState.Blocked);

        Assert.Equal(["c", "d", "e"], summary.WillRun);
        Assert.Equal([("c", 0), ("d", 1), ("e", 1)], rows.Select(row => (row.Id, row.Feeders)));
    }

    [Fact]
    public void A_skipped_stage_is_asked_again_when_what_feeds_it_runs_again()
    {
        var (summary, _) = Of(new ResetRequest("a"), Done, StageState.Skipped, Done, Done, Done);

        Assert.Equal(["a", "b", "c", "d", "e"], summary.WillRun);
        Assert.Equal(["a", "c", "d", "e"], summary.ThrownAway);
    }

    [Fact]
    public void The_branches_that_did_not_succeed_take_their_turns_again()
    {
        var states = new[] { Done, StageState.Failed, StageState.Cancelled, StageState.Cancelled };
        var stages = states.Select((state, i) => new ResetStage(
            $"sweep.{i + 1}", state, ["sum"], null, [new PlannedTurn("sweep", i + 1, 2)], [])).ToList();

        var (_, rows) = RunReset.Of([.. stages, Stage("sum", StageState.Blocked)], new ResetRequest());

        Assert.Equal(
            [("sweep.2", 0, ""), ("sweep.3", 0, ""), ("sweep.4", 1, "sweep.4"), ("sum", 3, "")],
            rows.Select(row => (row.Id, row.Feeders, string.Join(' ', row.Held))));
    }

    [Fact]
    public void A_matrix_runs_again_as_a_whole_by_its_name()
    {
        var stages = new[] { Stage("sweep.1.prune", Done, "sum"), Stage("sweep.2.prune", Done, "sum"), Stage("sum", Done), Stage("sweeper", Done) };

        var (summary, rows) = RunReset.Of(stages, new ResetRequest("sweep"));

        Assert.Equal(["sweep.1.prune", "sweep.2.prune", "sum"], summary.WillRun);
        Assert.Equal([true, true, false], rows.Select(row => row.Fresh));
    }

    private static (ResetSummary Summary, IReadOnlyList<ResetRow> Rows) Of(ResetRequest request, params StageState[] states) =>
        RunReset.Of(Stages(states), request);

    private static List<ResetStage> Stages(params StageState[] states) =>
    [
        Stage("a", states[0], "b", "c"), Stage("b", states[1], "d"), Stage("c", states[2], "d"), Stage("d", states[3], "e"),
        Stage("e", states[4]),
    ];

    private static ResetStage Stage(string id, StageState state, params string[] feeds) => new(id, state, feeds, null, [], []);
}
