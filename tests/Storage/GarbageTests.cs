using Microsoft.EntityFrameworkCore;
using Npgsql;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Storage;

public sealed class GarbageTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>, IAsyncLifetime
{
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    private Database database = null!;
    private ProcessFolder work = null!;
    private ArtifactDirectory artifacts = null!;
    private RunStore runs = null!;
    private StageStore stages = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        CommitAndWake commit = (db, _, cancellation) => db.Database.CommitTransactionAsync(cancellation);
        database = await Database.OpenAsync(fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        work = ProcessFolder.Open(fresh.DataFolder);
        artifacts = new ArtifactDirectory(fresh.DataFolder, work);
        runs = new RunStore(database, commit);
        stages = new StageStore(database, commit, TimeSpan.FromMinutes(5));
        await ExecuteAsync("TRUNCATE pipelines.runs, pipelines.results CASCADE");
        foreach (var artifact in artifacts.List().ToList())
            artifacts.Remove(artifact.Hash);
    }

    public async ValueTask DisposeAsync()
    {
        work.Dispose();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task What_no_run_needs_goes_and_what_one_needs_stays()
    {
        var (orphan, old, kept) = (await MakeAsync("orphan"), await MakeAsync("old"), await MakeAsync("kept"));
        await EndedRunAsync(old, daysAgo: 90);
        await EndedRunAsync(kept, daysAgo: 60);
        Age(orphan, old, kept);

        var dry = await CollectAsync(dry: true);
        Assert.Equal(3, artifacts.List().Count());
        var report = await CollectAsync();

        Assert.Equal(new[] { orphan, old }.Order(), report.Collected.Select(artifact => artifact.Hash).Order());
        Assert.Equal(report.Collected.Count, dry.Collected.Count);
        Assert.Equal([kept], artifacts.List().Select(artifact => artifact.Hash));
        Assert.True(report.Bytes > 0);
    }

    [Fact]
    public async Task The_cache_does_not_name_what_is_gone_and_the_run_stays_on_the_list()
    {
        var (old, newest) = (await MakeAsync("old"), await MakeAsync("newest"));
        var run = await EndedRunAsync(old, daysAgo: 90);
        await EndedRunAsync(newest, daysAgo: 1);
        Age(old, newest);

        await CollectAsync();

        Assert.Equal([Toys.Key(newest).Name], await ResultsAsync());
        Assert.Equal(RunState.Succeeded, (await runs.FindAsync(run, Cancellation))!.State);
    }

    [Fact]
    public async Task A_young_artifact_stays_though_nothing_names_it_yet()
    {
        var young = await MakeAsync("young");

        Assert.Empty((await CollectAsync(TimeSpan.Zero)).Collected);
        Assert.Equal([young], artifacts.List().Select(artifact => artifact.Hash));
    }

    [Fact]
    public async Task One_that_is_used_again_counts_as_young()
    {
        var used = await MakeAsync("used");
        Age(used);
        artifacts.Touch(used);

        Assert.Empty((await CollectAsync(TimeSpan.Zero)).Collected);
    }

    [Fact]
    public async Task A_checkpoint_of_a_stage_under_way_stays()
    {
        var checkpoint = await MakeAsync("checkpoint");
        await runs.StartAsync(Toys.Plan(Toys.Number("a", 1)), useCache: false, Cancellation);
        var claim = (await stages.ClaimAsync("w", ["cpu"], "cpu", null, Cancellation))!;
        await new CheckpointStore(database).SaveAsync(claim.Key, "key", 1, checkpoint, Cancellation);
        Age(checkpoint);

        Assert.Empty((await CollectAsync()).Collected);
    }

    [Fact]
    public async Task A_data_folder_of_another_database_is_left_alone()
    {
        Age(await MakeAsync("somebody else's"));

        var error = await Assert.ThrowsAsync<RunStateException>(() => CollectAsync());

        Assert.Contains("another database's", error.Message, StringComparison.Ordinal);
        Assert.Single(artifacts.List());
    }

    [Fact]
    public async Task What_a_stage_that_still_runs_has_made_stays()
    {
        var made = await MakeAsync("made");
        Age(made);
        await runs.StartAsync(Toys.Plan(Toys.Number("a", 1)), useCache: false, Cancellation);
        await stages.ClaimAsync("w", ["cpu"], "cpu", null, Cancellation);
        await ExecuteAsync("UPDATE pipelines.stages SET started_at = '2019-12-31'");

        Assert.Empty((await CollectAsync()).Collected);
    }

    [Fact]
    public async Task Two_do_not_collect_at_once()
    {
        await using var other = new NpgsqlConnection(fresh.ConnectionString);
        await other.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(7145253002)", other);
        await command.ExecuteNonQueryAsync(Cancellation);

        var error = await Assert.ThrowsAsync<RunStateException>(() => CollectAsync());
        Assert.Equal("another process collects garbage at the moment", error.Message);
    }

    private Task<GarbageReport> CollectAsync(TimeSpan? age = null, bool dry = false) =>
        new Garbage(database, artifacts, TimeProvider.System).CollectAsync(age ?? Month, keepLast: 1, dry, (_, _) => { }, Cancellation);

    private async Task<string> MakeAsync(string text)
    {
        await using var draft = artifacts.Begin();
        await File.WriteAllTextAsync(Path.Combine(draft.Folder, "text"), text, Cancellation);
        return await draft.CommitAsync(Cancellation);
    }

    private void Age(params string[] hashes)
    {
        foreach (var hash in hashes)
        {
            var digits = hash["sha256:".Length..];
            Directory.SetLastWriteTimeUtc(Path.Combine(fresh.DataFolder, "artifacts", digits[..2], digits), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }
    }

    private async Task<Guid> EndedRunAsync(string hash, int daysAgo)
    {
        var run = await runs.StartAsync(Toys.Plan(Toys.Number("a", daysAgo)), useCache: false, Cancellation);
        var claim = (await stages.ClaimAsync("w", ["cpu"], "cpu", run, Cancellation))!;
        await stages.CompleteAsync(claim, new StageResult(Json.Write(new { model = new { hash } }), Toys.Key(hash), Reused: false, null), Cancellation);
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync($"""
            UPDATE pipelines.runs SET finished_at = now() - make_interval(days => {daysAgo}), created_at = now() - make_interval(days => {daysAgo})
                WHERE id = {run};
            UPDATE pipelines.results SET created_at = now() - make_interval(days => {daysAgo}) WHERE key = {Toys.Key(hash).Name}
            """, Cancellation);
        return run;
    }

    private async Task<string[]> ResultsAsync()
    {
        await using var db = database.Create();
        return await db.Results.Select(row => row.Key).ToArrayAsync(Cancellation);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(fresh.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
