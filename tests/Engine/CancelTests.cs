using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Engine;

public sealed class CancelTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("by itself", true)]
    [InlineData("from another process", false)]
    public async Task Stops_what_runs_and_keeps_what_was_finished(string door, bool sameEngine)
    {
        await using var worker = await database.WorkAsync(Toys.Catalog());
        await using var other = await database.OpenAsync(Toys.Catalog());
        var plan = Toys.Plan(
            Toys.Number("done", 1), Toys.Stage("door", "toy.door", new { name = door }), Toys.Add("after", "door", "done"));
        var id = await other.StartRunAsync(plan, useCache: false, Cancellation);
        await Door.Named(door).BegunAsync();

        await (sameEngine ? worker : other).CancelRunAsync(id, Cancellation);
        var run = await other.WaitAsync(id, Cancellation);

        Assert.Equal(RunState.Cancelled, run.State);
        Assert.Equal(
            [StageState.Succeeded, StageState.Cancelled, StageState.Cancelled], run.Stages.Select(stage => stage.State));
        var error = await Assert.ThrowsAsync<EngineException>(() => other.CancelRunAsync(id, Cancellation));
        Assert.Equal($"run {id} has cancelled: nothing is left to cancel", error.Message);
    }

    [Fact]
    public async Task A_run_that_nobody_works_for_is_cancelled_at_once_and_resumes_from_the_start()
    {
        await using var engine = await database.OpenAsync(Toys.Catalog());
        var id = await engine.StartRunAsync(Toys.Plan(Toys.Number("a", 1), Toys.Add("b", "a", "a")), false, Cancellation);

        await engine.CancelRunAsync(id, Cancellation);
        var cancelled = await engine.WaitAsync(id, Cancellation);
        var summary = await engine.ResetRunAsync(id, new RunAgain(), Cancellation);
        await engine.WorkAsync(Cancellation);

        Assert.Equal(RunState.Cancelled, cancelled.State);
        Assert.Equal(["a", "b"], summary.WillRun);
        Assert.Equal(RunState.Succeeded, (await engine.WaitAsync(id, Cancellation)).State);
    }
}
