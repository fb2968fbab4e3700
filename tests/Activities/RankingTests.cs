using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Activities.Evaluation;
using Pipelines.Workflows;

namespace Pipelines.Tests.Activities;

/// <summary>What joins a fan-out, on numbers worked by hand.</summary>
public sealed class RankingTests
{
    private static readonly Branch<Measurement>[] Models =
    [
        Measured(1, 20, 900), Measured(2, 25, 500), Measured(3, 26, 600), Measured(4, 40, 300), Measured(5, 40, 200),
    ];

    [Fact]
    public void Ranks_by_perplexity_and_marks_what_no_other_beats_in_both()
    {
        var ranking = RankModels.Rank([.. Models.Reverse()], SizeMeasure.Nonzero);

        Assert.Equal(["m.1", "m.2", "m.3", "m.5", "m.4"], ranking.Models.Select(model => model.Stage));
        Assert.Equal([1, 2, 3, 4, 5], ranking.Models.Select(model => model.Rank));
        Assert.Equal([true, true, false, true, false], ranking.Models.Select(model => model.Pareto));
    }

    [Fact]
    public void Twins_do_not_beat_each_other() =>
        Assert.All(RankModels.Rank([Measured(1, 20, 5), Measured(2, 20, 5)], SizeMeasure.Nonzero).Models, model => Assert.True(model.Pareto));

    [Fact]
    public void Refuses_numbers_of_different_protocols()
    {
        var other = Models[0] with { Value = Models[0].Value with { Protocol = "q" } };

        var error = Assert.Throws<StageException>(() => RankModels.Rank([Models[1], other], SizeMeasure.Nonzero));

        Assert.Equal(
            "m.1 measured by 'q', m.2 by 'p': their perplexities cannot be compared; evaluate all with the same data and settings",
            error.Message);
    }

    [Theory]
    [InlineData(0.0, 1)]
    [InlineData(0.25, 2)]
    [InlineData(1.0, 5)]
    public void Chooses_the_smallest_that_is_nearly_as_good_as_the_dense_model(double increase, int chosen)
    {
        var dense = Measured(0, 20, 1000).Value;

        var branch = SelectSmallest.Choose(Models, dense, new SelectSmallest.Parameters(increase));

        Assert.Equal($"m.{chosen}", branch.Stage);
    }

    [Fact]
    public void Says_when_none_is_good_enough()
    {
        var error = Assert.Throws<StageException>(() =>
            SelectSmallest.Choose(Models, Measured(0, 15, 1000).Value, new SelectSmallest.Parameters(0.1)));

        Assert.Equal(
            "no model is good enough: the best has a perplexity of 20, the dense one 15, and 10 % more are allowed", error.Message);
    }

    private static Branch<Measurement> Measured(int index, double perplexity, long nonzero) => new(
        $"m.{index}", new Dictionary<string, JsonElement> { ["i"] = Json.Write(index) },
        new Measurement("p", perplexity, 1000, nonzero, 4000));
}
