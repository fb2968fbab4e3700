using Npgsql;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Engine;

/// <summary>Stages that output, or say, more than anybody wants to store.</summary>
public sealed class LimitTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Outputs_of_a_hundred_megabytes_are_refused_and_those_below_the_limit_are_stored()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(
            Toys.Stage("huge", "toy.large", new { characters = 100_000_000 }),
            Toys.Stage("fits", "toy.large", new { characters = OutputLimit.Largest - 11 }),
            Toys.Stage("over", "toy.large", new { characters = OutputLimit.Largest - 10 }));

        var run = await engine.WaitAsync(await engine.StartRunAsync(plan, useCache: false, Cancellation), Cancellation);

        var stages = run.Stages.ToDictionary(stage => stage.Id);
        Assert.Equal(
            "its outputs are 100,000,011 bytes of JSON, expected 1,000,000 at most: what is large is written as an artifact, and named by its hash",
            stages["huge"].Error);
        Assert.StartsWith("its outputs are 1,000,001 bytes", stages["over"].Error, StringComparison.Ordinal);
        Assert.Equal(StageState.Succeeded, stages["fits"].State);
        Assert.Equal(OutputLimit.Largest - 11, stages["fits"].Outputs!.Value.GetProperty("text").GetString()!.Length);
    }

    [Fact]
    public async Task A_million_lines_of_log_neither_stop_a_stage_nor_are_all_kept_in_memory()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(Toys.Stage("talk", "toy.chatter", new { lines = 1_000_000 }), Toys.Number("after", 1));

        var id = await engine.StartRunAsync(plan, useCache: false, Cancellation);
        var run = await engine.WaitAsync(id, Cancellation);

        Assert.Equal(RunState.Succeeded, run.State);
        var lines = await engine.Runs.LogsAsync(id, "talk", 0, Cancellation);
        Assert.Equal("line 1\uFFFD", lines[0].Text);
        var missing = lines.Where(line => line.Text.StartsWith('…')).Sum(line => long.Parse(line.Text.Split(' ')[1], null));
        // Every line is there, or is counted among those that are not.
        Assert.Equal(1_000_000, lines.Count(line => line.Text.StartsWith("line ", StringComparison.Ordinal)) + missing);
    }

    [Theory]
    [InlineData(PostgresErrorCodes.DiskFull, true)]
    [InlineData(PostgresErrorCodes.CannotConnectNow, true)]
    [InlineData(PostgresErrorCodes.AdminShutdown, true)]
    [InlineData(PostgresErrorCodes.DeadlockDetected, true)]
    [InlineData(PostgresErrorCodes.UniqueViolation, false)]
    [InlineData(PostgresErrorCodes.UndefinedTable, false)]
    public void What_the_database_may_take_later_is_tried_again(string state, bool passing) => Assert.Equal(
        passing, Recording.IsPassing(new InvalidOperationException("around it", new PostgresException("no", "ERROR", "ERROR", state))));
}
