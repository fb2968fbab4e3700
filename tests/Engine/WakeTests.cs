using Microsoft.Extensions.Logging;
using Npgsql;
using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Engine;

public sealed class WakeTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Starting_a_run_is_one_transaction_with_its_wake()
    {
        await using var engine = await database.OpenAsync(Toys.Catalog());
        await ExecuteAsync("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON pipelines.runs DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.name = 'refused at commit') EXECUTE FUNCTION refuse()
            """);
        var plan = Toys.Plan(Toys.Number("a", 1));
        var refused = plan with { Definition = plan.Definition with { Name = "refused at commit" } };
        await BuildSchedulerAsync(engine);
        var before = await CountAsync("quartz.qrtz_triggers");

        await Assert.ThrowsAsync<PostgresException>(() => engine.StartRunAsync(refused, useCache: true, Cancellation));

        Assert.Equal(before, await CountAsync("quartz.qrtz_triggers"));
        Assert.Equal(0, await CountAsync("pipelines.runs WHERE name = 'refused at commit'"));

        var id = await engine.StartRunAsync(plan, useCache: true, Cancellation);
        Assert.Equal(before + 1, await CountAsync("quartz.qrtz_triggers"));
        await engine.CancelRunAsync(id, Cancellation);
    }

    [Fact]
    public async Task A_fan_of_a_thousand_costs_Quartz_no_more_than_there_are_slots()
    {
        await using var engine = await database.OpenAsync(Toys.Catalog());
        await BuildSchedulerAsync(engine);
        var before = await CountAsync("quartz.qrtz_triggers");

        var id = await engine.StartRunAsync(
            Toys.Plan([.. Enumerable.Range(0, 1000).Select(i => Toys.Number($"n{i}", i))]), useCache: true, Cancellation);

        Assert.Equal(before + 1, await CountAsync("quartz.qrtz_triggers"));
        await engine.CancelRunAsync(id, Cancellation);
    }

    [Fact]
    public async Task A_worker_finds_stages_whose_wake_got_lost()
    {
        await using var engine = await database.OpenAsync(Toys.Catalog());
        var id = await engine.StartRunAsync(Toys.Plan(Toys.Number("a", 1)), useCache: false, Cancellation);
        await ExecuteAsync("TRUNCATE quartz.qrtz_simple_triggers, quartz.qrtz_triggers CASCADE");

        await engine.WorkAsync(Cancellation);

        Assert.Equal(RunState.Succeeded, (await engine.WaitAsync(id, Cancellation)).State);
    }

    [Fact]
    public async Task A_stage_that_ends_while_the_database_is_away_is_recorded_when_it_is_back()
    {
        var door = Door.Named("outage");
        using var log = new LogWatch("does not take a stage's end");
        var options = database.Options with { LoggerFactory = log };
        await using var engine = await PipelinesEngine.OpenAsync(options, Toys.Catalog(), Cancellation);
        await engine.WorkAsync(Cancellation);
        var id = await engine.StartRunAsync(
            Toys.Plan(Toys.Stage("door", "toy.door", new { name = "outage" }), Toys.Add("after", "door", "door")), false, Cancellation);
        await door.BegunAsync();

        var name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database;
        await ExecuteAsync($"""
            ALTER DATABASE {name} ALLOW_CONNECTIONS false;
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()
            """, elsewhere: true);
        door.Open();
        await log.Seen.WaitAsync(Cancellation);
        await ExecuteAsync($"ALTER DATABASE {name} ALLOW_CONNECTIONS true", elsewhere: true);

        var run = await engine.WaitAsync(id, Cancellation);
        Assert.Equal(RunState.Succeeded, run.State);
        Assert.All(run.Stages, stage => Assert.Equal(1, stage.Attempt));
    }

    [Fact]
    public async Task Two_slots_do_not_share_the_one_gpu()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog(), slots: 2, "cuda:0");
        var id = await engine.StartRunAsync(
            Toys.Plan(
                Toys.Stage("first", "toy.door", new { name = "gpu 1" }, gpu: 1),
                Toys.Stage("second", "toy.door", new { name = "gpu 2" }, gpu: 1),
                Toys.Number("beside", 1)),
            useCache: false, Cancellation);
        await Door.Named("gpu 1").BegunAsync();
        RunView run;
        do
        {
            await engine.WaitForChangeAsync(id, TimeSpan.FromSeconds(1), Cancellation);
            run = (await engine.Runs.FindAsync(id, Cancellation))!;
        }
        while (run.Stages[2].State != StageState.Succeeded);

        Assert.Equal(StageState.Ready, run.Stages[1].State);
        Door.Named("gpu 1").Open();
        Door.Named("gpu 2").Open();
        Assert.Equal(RunState.Succeeded, (await engine.WaitAsync(id, Cancellation)).State);
    }

    private async Task ExecuteAsync(string sql, bool elsewhere = false)
    {
        await using var source = Source(elsewhere);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    // Quartz makes its tables when a scheduler is built, which the first run does.
    private static async Task BuildSchedulerAsync(PipelinesEngine engine) => await engine.CancelRunAsync(
        await engine.StartRunAsync(Toys.Plan(Toys.Number("first", 0)), useCache: true, Cancellation), Cancellation);

    private async Task<long> CountAsync(string from)
    {
        await using var source = Source(elsewhere: false);
        await using var command = source.CreateCommand($"SELECT count(*) FROM {from}");
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private NpgsqlDataSource Source(bool elsewhere)
    {
        var connection = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        if (elsewhere)
            connection.Database = "postgres";
        return NpgsqlDataSource.Create(connection);
    }

    /// <summary>Sees when something is logged.</summary>
    private sealed class LogWatch(string text) : ILoggerFactory, ILogger
    {
        private readonly TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Seen => seen.Task;

        public ILogger CreateLogger(string categoryName) => this;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (formatter(state, exception).Contains(text, StringComparison.Ordinal))
                seen.TrySetResult();
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
