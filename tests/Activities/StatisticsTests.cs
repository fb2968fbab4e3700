using Pipelines.Activities;
using Pipelines.Activities.Calibration;
using Pipelines.Activities.Data;
using Pipelines.Activities.Evaluation;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>The methods' formulas on numbers worked out by hand, and on the reference's fixtures.</summary>
public sealed class StatisticsTests
{
    [Fact]
    public void Zeroes_the_smallest_weight_times_input_norm_of_each_row()
    {
        using var scope = NewDisposeScope();
        var weight = tensor(new float[] { 4, -3, 2, -1, 1, 2, 3, 4 }).view(2, 4);
        var meanSquare = tensor(new double[] { 1, 1, 1, 64 });

        var mask = WandaPrune.Mask(weight, meanSquare, 0.5, null, "w"); // |W|n = [4 3 2 8 | 1 2 3 32]

        Assert.Equal([false, true, true, false, true, true, false, false], mask.data<bool>().ToArray());
    }

    [Fact]
    public void Refuses_activations_that_are_no_numbers()
    {
        using var scope = NewDisposeScope();

        var error = Assert.Throws<StageException>(() =>
            WandaPrune.Mask(ones(2, 2), tensor(new[] { 1.0, double.NaN }), 0.5, null, "layer.q_proj"));

        Assert.StartsWith("layer.q_proj: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_equal_scores_the_first_go_first()
    {
        using var scope = NewDisposeScope();
        var scores = tensor(new float[] { 1, 0, 1, 0, 1, 0 }).view(1, 6);

        Assert.Equal([true, true, false, true, false, true], SmallestScores.PerRow(scores, 4).data<bool>().ToArray());
        Assert.Equal([false, true, false, true, false, false], SmallestScores.Overall(scores, 2).data<bool>().ToArray());
        Assert.Equal(6, SmallestScores.UpTo(scores, 3).sum().ToInt64());
    }

    [Fact]
    public void Keeps_N_of_every_M_and_refuses_widths_that_do_not_fit()
    {
        using var scope = NewDisposeScope();
        var scores = tensor(new float[] { 4, 3, 2, 1, 1, 1, 1, 9 }).view(1, 8);

        Assert.Equal([false, false, true, true, true, true, false, false], SparsityPattern.Parse("2:4")!.Mask(scores, "w").data<bool>().ToArray());
        Assert.Equal(6, SparsityPattern.Parse("1:4")!.Mask(scores, "w").sum().ToInt64());
        Assert.Null(SparsityPattern.Parse("none"));
        Assert.Throws<StageException>(() => SparsityPattern.Parse("4:4"));
        Assert.Contains("no multiple of 4", Assert.Throws<StageException>(() =>
            SparsityPattern.Parse("2:4")!.Mask(ones(2, 6), "w")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Walks_from_the_best_unit_to_where_the_weights_come_nearest_to_the_budget()
    {
        // Weights 4 + 4 + 1 + 1 = 10; half is 5: the head of score 3 and the neuron of score 2 fill it.
        Assert.Equal(2, FlapScores.Threshold([(3, 4), (1, 4), (2, 1), (0, 1)], ratio: 0.5));
        Assert.Equal([0, 2], FlapScores.KeepUniform([5, 1, 4, 2], 0.5));
    }

    [Fact]
    public void Gathers_the_moments_of_the_reference()
    {
        using var fixture = SafetensorsFile.Open(Golden.Path("fixtures/flap_bias_linear.safetensors"));
        using var scope = NewDisposeScope();
        using var moments = new InputMoments(spread: true);
        using var squares = new InputMoments(spread: false);
        var x = fixture.View("X");

        moments.Add(x);
        squares.Add(x.narrow(0, 0, 4));
        squares.Add(x.narrow(0, 4, 2));

        AssertNear(fixture.View("WIFV.fluc_inp"), moments.Fluctuation);
        AssertNear(fixture.View("WIFV.baseline_inp"), moments.Mean);
        AssertNear(fixture.View("wanda.scaler_row"), moments.MeanSquare);
        AssertNear(fixture.View("wanda.scaler_row"), squares.MeanSquare);
        AssertNear(x.to(ScalarType.Float64).view(-1, x.shape[2]).var(0L, unbiased: false), moments.Variance());
        using var channels = FlapScores.Channels(FlapMetric.Wifv, fixture.View("W"), moments.Fluctuation, moments.MeanSquare);
        AssertNear(fixture.View("WIFV.metric"), channels);
    }

    [Fact]
    public void Cuts_a_text_into_windows()
    {
        var windows = new TokenWindows("t.txt", 3, 4, WindowOrder.First, 0);
        Assert.Equal([0, 4, 8], DatasetFolder.Starts(windows, 17));
        var drawn = DatasetFolder.Starts(windows with { Order = WindowOrder.Random, Seed = 5 }, 1000);
        Assert.Equal(drawn, DatasetFolder.Starts(windows with { Order = WindowOrder.Random, Seed = 5 }, 1000));
        Assert.Equal(3, drawn.Distinct().Count());
        Assert.Equal(
            "t.txt has 11 tokens, which is 2 sequences of 4: expected at least 3",
            Assert.Throws<StageException>(void () => DatasetFolder.Starts(windows, 11)).Message);
    }

    [Fact]
    public void Knows_the_entropy_of_the_text_it_makes()
    {
        // Four words of two letters, each followed by any: visits are equal, a step has 1.743 bits, a word 3 characters.
        var chain = new SyntheticText.Chain(["aa", "bb", "cc", "dd"], [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]]);

        Assert.Equal(1.7427 / 3, chain.BitsPerCharacter(), 1e-4);
        Assert.Equal(chain.Write(100, new Random(1)), chain.Write(100, new Random(1)));
    }

    [Fact]
    public void Does_not_compare_numbers_of_different_protocols()
    {
        var dense = new Measurement("p1", 5, 10, 10, 40);

        var error = Assert.Throws<StageException>(() => CompareModels.Compare(dense, dense with { Protocol = "p2" }, null));

        Assert.Contains("pruned was measured by 'p2', dense by 'p1'", error.Message, StringComparison.Ordinal);
    }

    private static void AssertNear(Tensor expected, Tensor got) => Assert.InRange(
        (expected.to(ScalarType.Float64) - got).abs().max().ToDouble() / expected.abs().max().ToDouble(), 0, 1e-5);
}
