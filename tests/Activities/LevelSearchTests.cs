using System.Text.Json;
using Pipelines.Activities.Allocation;
using Pipelines.Workflows;

namespace Pipelines.Tests.Activities;

public sealed class LevelSearchTests
{
    private static readonly SearchOptions Small = new(60, 16, [new(4, 10), new(1, 100)], Seed: 7);

    private static readonly double[] Slopes = [1.0, -0.5, 2.0, 0.25, -1.5];

    private static readonly LevelSpace Space = new(
        [.. Enumerable.Range(0, 5).Select(unit => new LevelUnit($"{unit}", unit == 0 ? -1 : -3, 3))], [0, 0, 0, 0, 0]);

    [Fact]
    public void Finds_the_optimum_of_a_separable_problem()
    {
        var best = Every(5, -3, 3).Where(Space.Contains).Min(levels => Separable(levels));

        var found = Run(Space, Small, (levels, _) => Separable(levels));

        Assert.Equal(best, found.Fitness!.Value, 1e-12);
        Assert.True(Space.Contains(found.Levels));
    }

    [Fact]
    public void Every_candidate_keeps_the_budget_of_every_group_and_the_bounds()
    {
        var space = new LevelSpace(
            [new("a", 0, 3), new("b", 0, 1), new("c", 0, 2), new("d", -2, 2, 1), new("e", -2, 2, 1), new("f", 0, 5, 2)],
            [3, 0, 1, 0, 1, 4]);
        var seen = new HashSet<string>();
        var calls = 0;

        Run(space, Small with { Pool = 20, Generations = 200 }, (levels, _) =>
        {
            Assert.True(space.Contains(levels), string.Join(' ', levels));
            seen.Add(string.Join(' ', levels));
            // What comes later is better: the parent wanders through all of the space.
            return -calls++;
        });

        // All that there is: 3 units that sum to 4 in 5 ways, 2 that sum to 1 in 4, and one that cannot move.
        Assert.Equal(5 * 4, seen.Count);
    }

    [Fact]
    public void Best_fitness_never_worsens_when_all_is_always_evaluated()
    {
        var fitness = new List<double>();

        Run(Space, Small, (levels, _) => Separable(levels), done: state => fitness.Add(state.Fitness ?? double.PositiveInfinity));

        Assert.Equal(61, fitness.Count);
        Assert.All(fitness.Zip(fitness.Skip(1)), pair => Assert.True(pair.Second <= pair.First));
    }

    [Fact]
    public void The_same_seed_gives_the_same_search_and_another_seed_another()
    {
        var options = Small with { Generations = 5 };

        var first = Trace(options);

        Assert.Equal(first, Trace(options));
        Assert.NotEqual(first, Trace(options with { Seed = 8 }));
    }

    [Fact]
    public void A_search_taken_up_again_ends_as_one_that_never_stopped()
    {
        var whole = new List<SearchState>();
        Run(Space, Small, Noisy, done: whole.Add);

        foreach (var stopped in new[] { 0, 1, 17, 60 })
        {
            // By way of the JSON that a stage keeps.
            var kept = JsonSerializer.Deserialize<SearchState>(JsonSerializer.Serialize(whole[stopped], Json.Options), Json.Options);
            var rest = new List<SearchState>();
            var end = Run(Space, Small, Noisy, kept, rest.Add);

            Assert.Equal(60 - stopped, rest.Count);
            Assert.Equal(whole[60].Levels, end.Levels);
            Assert.Equal(whole[60].Fitness, end.Fitness);
        }
    }

    [Fact]
    public void Stages_sift_on_growing_batches_that_are_one_for_all_of_a_stage_and_new_each_time()
    {
        var calls = new List<(string Levels, FitnessBatch Batch)>();
        var start = string.Join(' ', Space.Start);

        Run(Space, Small with { Generations = 2 }, (levels, batch) =>
        {
            calls.Add((string.Join(' ', levels), batch));
            return 1;
        });

        var stages = calls.GroupBy(call => call.Batch).ToArray();
        Assert.Equal([(1, 0, 10L, 16), (1, 1, 100L, 5), (2, 0, 10L, 16), (2, 1, 100L, 5)],
            stages.Select(stage => (stage.Key.Generation, stage.Key.Stage, stage.Key.Tokens, stage.Count())));
        Assert.Equal(4, stages.Select(stage => stage.Key.Seed).Distinct().Count());
        // The parent is judged in the last stage alone, and of equals it stays.
        Assert.All(stages, stage => Assert.Equal(stage.Key.Stage == 1 ? 1 : 0, stage.Count(call => call.Levels == start)));
        Assert.All(stages, stage => Assert.Equal(stage.Count(), stage.Select(call => call.Levels).Distinct().Count()));
    }

    [Fact]
    public void What_is_not_a_number_is_never_chosen()
    {
        var found = Run(Space, Small, (levels, _) => levels[2] < 0 ? double.NaN : Separable(levels));

        Assert.InRange(found.Levels[2], 0, 3);
        Assert.NotNull(found.Fitness);
        Assert.Null(Run(Space, Small with { Generations = 1 }, (_, _) => double.NaN).Fitness);
    }

    [Fact]
    public void Depth_drops_as_many_attentions_as_mlps_and_finds_those_that_matter_least()
    {
        double[] attention = [9, 1, 8, 2, 7, 3];
        double[] mlp = [1, 9, 9, 9, 1, 9];
        var space = DepthSpace.Create(6, 2);

        var found = Run(space, SearchOptions.Depth(6, 2) with { Seed = 3 }, (levels, _) =>
            levels.Zip(attention.Concat(mlp)).Sum(one => one.First * one.Second));

        var (droppedAttention, droppedMlp) = DepthSpace.Dropped(found.Levels);
        Assert.Equal([false, true, false, true, false, false], droppedAttention);
        Assert.Equal([true, false, false, false, true, false], droppedMlp);
    }

    [Fact]
    public void A_space_where_nothing_moves_stays_as_it_is() =>
        Assert.Equal([1, 2], Run(new LevelSpace([new("a", 1, 1), new("b", 2, 2)], [1, 2]), Small, (_, _) => 3).Levels);

    [Fact]
    public void Refuses_a_state_of_another_space_and_stages_that_leave_many()
    {
        Assert.Throws<ArgumentException>(() => Run(Space, Small, Noisy, new SearchState(1, [1, 0, 0, 0, 0], null)));
        Assert.Throws<ArgumentException>(() => Run(Space, Small with { Stages = [new(2, 10)] }, Noisy));
        Assert.Throws<ArgumentException>(() => new LevelSpace([new("a", 0, 1)], [2]));
    }

    [Fact]
    public void Stops_when_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();

        Assert.Throws<OperationCanceledException>(() => LevelSearch.Run(Space, Small, Noisy, null, null, cancellation.Token));
    }

    private static double Separable(IReadOnlyList<int> levels) =>
        levels.Zip(Slopes).Sum(one => one.First * one.Second + 0.3 * one.First * one.First);

    /// <summary>Depends on the batch as a fitness on fresh tokens does.</summary>
    private static double Noisy(IReadOnlyList<int> levels, FitnessBatch batch) =>
        Separable(levels) + levels[(int)(batch.Seed % 5)] / (double)batch.Tokens;

    private static List<string> Trace(SearchOptions options)
    {
        var trace = new List<string>();
        Run(Space, options, (levels, batch) =>
        {
            trace.Add($"{string.Join(' ', levels)} {batch}");
            return Noisy(levels, batch);
        });
        return trace;
    }

    private static SearchState Run(
        LevelSpace space, SearchOptions options, LevelFitness fitness, SearchState? resume = null, Action<SearchState>? done = null) =>
        LevelSearch.Run(space, options, fitness, resume, done, TestContext.Current.CancellationToken);

    private static IEnumerable<int[]> Every(int units, int lowest, int highest) => units == 0
        ? [[]]
        : from rest in Every(units - 1, lowest, highest)
          from level in Enumerable.Range(lowest, highest - lowest + 1)
          select (int[])[.. rest, level];
}
