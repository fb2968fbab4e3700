using Pipelines.Storage;
using Pipelines.Tests.Engine;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Failures;

/// <summary>The same asked for several times at once: a start, a stage.</summary>
public sealed class RaceTests(FreshDatabase fresh) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = Laboratory.Longest)]
    public async Task Programs_that_start_the_same_at_once_follow_one_run()
    {
        await using var laboratory = await Laboratory.OpenAsync(fresh);
        var expected = await laboratory.UndisturbedAsync();
        var document = Path.Combine(laboratory.Data, "small.json");
        await File.WriteAllTextAsync(document, Laboratory.SmallDocument().ToJsonString(), Cancellation);
        var before = await laboratory.AskAsync<long>("SELECT count(*) FROM pipelines.runs");

        var programs = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => laboratory.CommandAsync(
            "run", document, "--no-cache", "--key", "nightly 2026-11-21", "--out", "results")));

        Assert.All(programs, program => Assert.True(program.Code == 0, program.Errors));
        Assert.Equal(before + 1, await laboratory.AskAsync<long>("SELECT count(*) FROM pipelines.runs"));
        var run = (await laboratory.Engine.Runs.ListAsync(1, Cancellation))[0].Id;
        var history = await laboratory.HistoryAsync(run);
        var same = expected.SequenceEqual(Laboratory.Outputs(await laboratory.ViewAsync(run)));
        Tally.Add("the same start asked for by three programs at once", 3, history.Lost, history.DoneTwice, same);
        history.Check();
        Assert.True(same);
    }

    [Fact(Timeout = 10 * Laboratory.Longest)]
    public async Task Two_workers_race_for_one_stage()
    {
        var races = Tally.Long ? 10_000 : 2_000;
        await using var database = await Database.OpenAsync(fresh.ConnectionString, fresh.DataFolder, TimeProvider.System, Cancellation);
        CommitAndWake commit = (db, _, cancellation) => db.Database.CommitTransactionAsync(cancellation);
        var run = await new RunStore(database, commit).StartAsync(
            Toys.Plan([.. Enumerable.Range(0, races).Select(i => Toys.Number($"n{i}", i))]), useCache: false, Cancellation);
        await using var setting = await database.Source.OpenConnectionAsync(Cancellation);
        await using var hold = new Npgsql.NpgsqlCommand($"UPDATE pipelines.stages SET state = 'waiting' WHERE run_id = '{run}'", setting);
        await hold.ExecuteNonQueryAsync(Cancellation);
        var stores = new[] { "left", "right" }.Select(worker => (worker, new StageStore(database, commit, TimeSpan.FromMinutes(5)))).ToArray();

        var (won, twice) = (new Dictionary<string, int> { ["left"] = 0, ["right"] = 0 }, 0);
        for (var race = 0; race < races; race++)
        {
            await using var ready = new Npgsql.NpgsqlCommand(
                $"UPDATE pipelines.stages SET state = 'ready' WHERE run_id = '{run}' AND id = 'n{race}'", setting);
            await ready.ExecuteNonQueryAsync(Cancellation);
            var claims = await Task.WhenAll(stores.Select(async store =>
                (store.worker, Claim: await store.Item2.ClaimAsync(store.worker, ["cpu"], "cpu", null, Cancellation))));
            var winners = claims.Where(claim => claim.Claim is not null).ToArray();
            twice += winners.Length > 1 ? 1 : 0;
            Assert.Equal($"n{race}", Assert.Single(winners).Claim!.Stage);
            won[winners[0].worker]++;
        }

        Tally.Add("two workers race for one stage", races, 0, twice, true);
        // They did race: neither was always first.
        Assert.All(won.Values, count => Assert.InRange(count, 1, races - 1));
    }
}
