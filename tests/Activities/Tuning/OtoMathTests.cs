using Pipelines.Activities.Tuning;
using Pipelines.Tests.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Tuning;

/// <summary>OTOv2's scores, pull and projection, worked by hand.</summary>
public sealed class OtoMathTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_group_is_redundant_that_is_small_and_that_the_objective_makes_smaller()
    {
        var scores = OtoScores.Of([0.6, -0.8], [1, 0.5]);

        // 1/mean is 1 and 2, of norm √5; the cosines are of norm 1.
        Assert.Equal(0.5 * 0.6 + 0.5 / Math.Sqrt(5), scores[0], 1e-5);
        Assert.Equal(-0.5 * 0.8 + 1 / Math.Sqrt(5), scores[1], 1e-5);
        Assert.All(OtoScores.Of([0, 0], [0, 1]), score => Assert.True(double.IsFinite(score)));
    }

    [Fact]
    public void The_most_redundant_go_until_the_budget_holds_and_one_of_each_site_stays()
    {
        double[][] scores = [[5, 4], [3, 9, 1, 0]];
        static double Cost(IReadOnlyList<int> left) => 10 * left[0] + left[1];

        Assert.Equal([(1, 1), (0, 0)], OtoScores.Redundant(scores, Cost, budget: 14, margin: 0));
        Assert.Equal([(1, 1), (0, 0), (1, 0)], OtoScores.Redundant(scores, Cost, budget: 14, margin: 0.2));
        Assert.Equal([(1, 1), (0, 0), (1, 0), (1, 2)], OtoScores.Redundant(scores, Cost, budget: 0, margin: 0));
        Assert.Empty(OtoScores.Redundant(scores, Cost, budget: 24, margin: 0));
    }

    [Fact]
    public void The_pull_is_least_where_the_objective_shortens_and_else_just_enough()
    {
        var rule = new HalfSpace(Least: 0.1, Amplification: 2, Most: 100, Epsilon: 0);
        var groups = tensor(new[] { 3f, 4, 3, 4, 3, 4 }, 3, 2);
        // The first is shortened by its step. The second is lengthened: x·d = −5, so from 1 on, and up to 100 · 5 / 5.
        // The third also, along itself: from ‖d‖ on and up to ‖d‖.
        var directions = tensor(new[] { 1f, 1, 5, -5, -3, -4 }, 3, 2);

        var pull = rule.Pull(groups, directions);

        Near.Equal(0.1, pull[0], 1e-6);
        // x·d = 15 − 20 = −5, ‖d‖² = 50: between 1 and 50 · 5 / 5 = 50; twice the least of it.
        Near.Equal(2, pull[1], 1e-5);
        // Between 5 and 25 · 5 / 25 = 5: twice 5 is beyond, so the middle.
        Near.Equal(5, pull[2], 1e-5);
        Near.Equal(1, new HalfSpace(0.1, 2, 10, 0).Pull(groups, directions)[1], 1e-6);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0.95, true)]
    public void A_step_out_of_the_half_space_sets_a_group_to_zero(double epsilon, bool small)
    {
        var rule = new HalfSpace(Least: 1, Amplification: 2, Most: 10, epsilon);
        // Rate 0.1. The first is moved beyond 0, the second by a tenth of its length, the third is 0 already.
        var groups = tensor(new[] { 3f, 4, 3, 4, 0, 0 }, 3, 2);
        var moved = tensor(new[] { -1f, -1, 2.76f, 3.68f, 1, 1 }, 3, 2);

        var (pulled, gone) = rule.Step(groups, moved, 0.1);

        // The second: 0.92 of 5 are left by the optimizer, and the pull takes η λ = 0.1 more, which makes 4.5.
        Near.Equal([2.7, 3.6], pulled[1], 1e-5);
        Assert.Equal([true, small, true], gone.data<bool>().ToArray());
    }

    [Fact]
    public void Redundant_groups_go_in_their_order_and_only_until_the_budget_holds()
    {
        (int, int)[] redundant = [(0, 0), (1, 2), (1, 0), (0, 1)];
        static double Cost(IReadOnlyList<int> left) => 10 * left[0] + left[1];

        var pulled = OtoChoice.Of(redundant, one => one == (1, 2), _ => false, [3, 4], Cost, budget: 23);
        var gone = OtoChoice.Of(redundant, one => one == (1, 2), one => one != (0, 0), [3, 4], Cost, budget: 23);
        var held = OtoChoice.Of(redundant, one => one.Item1 == 0, _ => true, [3, 4], Cost, budget: 23);

        // Of 34, 33 are left; (0, 0) alone makes it 23.
        Assert.Equal([(1, 2)], pulled.Zero);
        Assert.Equal([(0, 0)], pulled.Needed);
        Assert.Equal([(1, 0), (0, 1)], pulled.Spare);
        Assert.Equal([3, 3], pulled.Left);
        // (1, 0) and (0, 1) go of themselves, and then there is enough.
        Assert.Equal([(1, 2), (1, 0), (0, 1)], gone.Zero);
        Assert.Empty(gone.Needed.Concat(gone.Spare));
        Assert.Equal([(0, 0), (0, 1)], held.Zero);
        Assert.Empty(held.Needed.Concat(held.Spare));
    }
}
