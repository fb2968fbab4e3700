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

    [Fact]
    public void Of_classifiers_the_one_that_is_right_oftenest_is_first()
    {
        Branch<Measurement>[] models = [Recognised(1, 0.90, 900), Recognised(2, 0.89, 500), Recognised(3, 0.88, 600), Recognised(4, 0.93, 950)];

        var ranking = RankModels.Rank(models, SizeMeasure.Nonzero);

        Assert.Equal(["m.4", "m.1", "m.2", "m.3"], ranking.Models.Select(model => model.Stage));
        Assert.Equal([true, true, true, false], ranking.Models.Select(model => model.Pareto));
        Assert.Equal(0.93, ranking.Models[0].Figures.Accuracy);
        Assert.Null(ranking.Models[0].Figures.Perplexity);
    }

    [Theory]
    [InlineData(0.0, 4)]
    [InlineData(0.03, 1)]
    [InlineData(0.04, 2)]
    public void Of_classifiers_the_smallest_is_chosen_that_loses_little(double drop, int chosen)
    {
        Branch<Measurement>[] models = [Recognised(1, 0.90, 900), Recognised(2, 0.89, 500), Recognised(3, 0.88, 600), Recognised(4, 0.93, 950)];

        var branch = SelectSmallest.Choose(models, Recognised(0, 0.93, 1000).Value, new SelectSmallest.Parameters(Drop: drop));

        Assert.Equal($"m.{chosen}", branch.Stage);
    }

    [Fact]
    public void Says_when_no_classifier_is_good_enough()
    {
        var error = Assert.Throws<StageException>(() => SelectSmallest.Choose(
            [Recognised(1, 0.9, 900)], Recognised(0, 0.95, 1000).Value, new SelectSmallest.Parameters(Drop: 0.01)));

        Assert.Equal("no model is good enough: the best has an accuracy of 0.9, the dense one 0.95, and 0.01 less is allowed", error.Message);
    }

    [Fact]
    public void Results_of_before_there_were_accuracies_are_read_and_look_the_same()
    {
        const string stored = """{"protocol":"p","perplexity":20.5,"parameters":10,"nonzero":9,"bytes":40}""";

        var measured = Json.Read<Measurement>(stored);

        Assert.Equal(new Measurement("p", 20.5, 10, 9, 40), measured);
        Assert.Equal(stored, Json.Write(measured).GetRawText());
    }

    private static Branch<Measurement> Recognised(int index, double accuracy, long nonzero) => new(
        $"m.{index}", new Dictionary<string, JsonElement> { ["i"] = Json.Write(index) },
        new Measurement("p", null, 1000, nonzero, 4000, Accuracy: accuracy));

    [Fact]
    public void The_front_of_speed_is_another_than_that_of_size()
    {
        // The smallest is no faster than the dense one, and the second smallest was not timed.
        var ranking = RankSpeeds.Join(
            RankModels.Rank(Models, SizeMeasure.Nonzero), [Timed(5, 1.0, 3), Timed(1, 1.0, 1), Timed(2, 1.5, 1), Timed(3, 2.0, 1)], SpeedMeasure.Decode);

        Assert.Equal(new RankedBySpeed("s", SpeedMeasure.Decode), ranking.Speed);
        Assert.Equal([true, true, true, false, null], ranking.Models.Select(model => model.Speed?.Pareto));
        Assert.Equal([true, true, false, true, false], ranking.Models.Select(model => model.Pareto));
        Assert.Equal(1.5, ranking.Models[1].Speed!.Decode!.Median);
    }

    [Fact]
    public void Speed_may_be_that_of_a_prompt() => Assert.Equal(
        [true, false, true, true, null],
        RankSpeeds.Join(
            RankModels.Rank(Models, SizeMeasure.Nonzero), [Timed(5, 1, 3), Timed(1, 1, 1), Timed(2, 9, 1), Timed(3, 9, 2)], SpeedMeasure.Prefill)
            .Models.Select(model => model.Speed?.Pareto));

    [Fact]
    public void Classifiers_have_one_speed_and_the_front_is_of_that()
    {
        var ranking = RankSpeeds.Join(
            RankModels.Rank([Recognised(1, 0.90, 900), Recognised(2, 0.89, 500), Recognised(3, 0.88, 600)], SizeMeasure.Nonzero),
            [Seen(1, 1), Seen(2, 1.5), Seen(3, 1.4)], SpeedMeasure.Decode);

        Assert.Equal(new RankedBySpeed("i", SpeedMeasure.Images), ranking.Speed);
        Assert.Equal([true, true, false], ranking.Models.Select(model => model.Speed!.Pareto));
        Assert.Equal([1, 1.5, 1.4], ranking.Models.Select(model => model.Speed!.Images!.Median));
        Assert.All(ranking.Models, model => Assert.Null(model.Speed!.Decode));
    }

    [Fact]
    public void Language_models_have_no_speed_of_images() => Assert.Equal(
        "'s' has no speed of images",
        Assert.Throws<StageException>(() => RankSpeeds.Join(RankModels.Rank(Models, SizeMeasure.Nonzero), [Timed(1, 1, 1)], SpeedMeasure.Images)).Message);

    [Fact]
    public void Refuses_speeds_of_different_protocols_and_of_no_model()
    {
        var ranking = RankModels.Rank(Models, SizeMeasure.Nonzero);
        var other = Timed(1, 1, 1) with { Value = Timed(1, 1, 1).Value with { Protocol = "t" } };

        Assert.Equal(
            "t.1 timed by 't', t.2 by 's': their speeds cannot be compared; time all with the same settings on one machine",
            Assert.Throws<StageException>(() => RankSpeeds.Join(ranking, [Timed(2, 1, 1), other], SpeedMeasure.Decode)).Message);
        Assert.Equal(
            "which model t.9 timed is not plain: measurements and speeds must come from one matrix, or from none",
            Assert.Throws<StageException>(() => RankSpeeds.Join(ranking, [Timed(9, 1, 1)], SpeedMeasure.Decode)).Message);
    }

    [Fact]
    public void The_best_is_the_one_with_the_lowest_perplexity() =>
        Assert.Equal("m.5", SelectBest.Choose([Models[3], Models[4]]).Stage);

    private static Branch<SpeedComparison> Timed(int index, double decode, double prefill)
    {
        return new Branch<SpeedComparison>(
            $"t.{index}", new Dictionary<string, JsonElement> { ["i"] = Json.Write(index) },
            new SpeedComparison("s", "cpu", 1, Pair(prefill), Pair(decode)));
    }

    private static Branch<SpeedComparison> Seen(int index, double times) => new(
        $"t.{index}", new Dictionary<string, JsonElement> { ["i"] = Json.Write(index) },
        new SpeedComparison("i", "cpu", 1, Prefill: null, Decode: null, Pair(times)));

    private static SpeedPair Pair(double ratio) => new(new Spread(10, 9, 11), new Spread(10 * ratio, 1, 99), new Spread(ratio, 0.5, 9));

    private static Branch<Measurement> Measured(int index, double perplexity, long nonzero) => new(
        $"m.{index}", new Dictionary<string, JsonElement> { ["i"] = Json.Write(index) },
        new Measurement("p", perplexity, 1000, nonzero, 4000));
}
