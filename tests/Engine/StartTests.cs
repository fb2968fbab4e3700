using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Engine;

/// <summary>Starts that name a key: asked for twice, there is one run.</summary>
public sealed class StartTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fifty_times_four_who_start_the_same_at_once_get_one_run()
    {
        await using var one = await database.OpenAsync(Toys.Catalog());
        await using var two = await database.OpenAsync(Toys.Catalog());
        var before = (await one.Runs.ListAsync(1000, Cancellation)).Count;
        for (var race = 0; race < 50; race++)
        {
            var runs = await Task.WhenAll(new[] { one, two, one, two }.Select(
                engine => engine.StartRunAsync(Toys.Plan(Toys.Number("a", race)), new RunRequest(false, $"race {race}"), Cancellation)));

            Assert.Single(runs.Distinct());
        }

        Assert.Equal(before + 50, (await one.Runs.ListAsync(1000, Cancellation)).Count);
    }

    [Fact]
    public async Task A_key_gives_its_run_also_when_that_has_ended_and_no_key_gives_a_new_one()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var plan = Toys.Plan(Toys.Number("a", 1));
        var first = await engine.StartRunAsync(plan, new RunRequest(false, "ended"), Cancellation);
        await engine.WaitAsync(first, Cancellation);

        Assert.Equal(first, await engine.StartRunAsync(plan, new RunRequest(false, "ended"), Cancellation));
        Assert.NotEqual(first, await engine.StartRunAsync(plan, new RunRequest(false, "another"), Cancellation));
        Assert.NotEqual(first, await engine.StartRunAsync(plan, false, Cancellation));
    }

    [Fact]
    public async Task A_key_of_another_plan_is_refused()
    {
        await using var engine = await database.OpenAsync(Toys.Catalog());
        var first = await engine.StartRunAsync(Toys.Plan(Toys.Number("a", 1)), new RunRequest(false, "mine"), Cancellation);

        var error = await Assert.ThrowsAsync<EngineException>(
            () => engine.StartRunAsync(Toys.Plan(Toys.Number("a", 2)), new RunRequest(false, "mine"), Cancellation));

        Assert.Equal(
            $"run {first} has the key 'mine' and another workflow: expected the same workflow and parameters, or another key", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(201)]
    public async Task A_key_has_one_to_two_hundred_characters(int length)
    {
        await using var engine = await database.OpenAsync(Toys.Catalog());

        var error = await Assert.ThrowsAsync<EngineException>(
            () => engine.StartRunAsync(Toys.Plan(Toys.Number("a", 1)), new RunRequest(false, new string('k', length)), Cancellation));

        Assert.StartsWith($"the key has {length} characters: expected 1 to 200", error.Message, StringComparison.Ordinal);
    }
}
