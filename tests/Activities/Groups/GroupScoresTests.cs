using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Groups;

/// <summary>Importances of groups and their ranking on numbers worked out by hand.</summary>
public sealed class GroupScoresTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    // Two filters of one pixel of three colours, a norm, and a linear that reads both.
    private static ImageClassifier Network()
    {
        var g = new GraphBuilder(1);
        var x = g.BatchNorm("bn", g.Convolution("conv", g.Image, 2, 1));
        g.Linear("fc", g.Flatten("flatten", x), 2);
        return new ImageClassifier(
            new ImageConfig("Two", g.Build()),
            [
                ("conv.weight", tensor([1f, -2f, 3f, 0f, 4f, 0f], [2, 3, 1, 1])), ("bn.weight", tensor([0.5f, -2f])), ("bn.bias", tensor([9f, 9f])),
                ("bn.running_mean", zeros(2)), ("bn.running_var", ones(2)),
                ("fc.weight", tensor([1f, -1f, 2f, 3f], [2, 2])), ("fc.bias", tensor([9f, 9f])),
            ]);
    }

    [Theory]
    [InlineData(GroupImportance.L1, new[] { (6 + 0.5 + 3) / 3, (4 + 2 + 4) / 3.0 })]
    [InlineData(GroupImportance.L2, new[] { (14 + 0.25 + 5) / 3, (16 + 4 + 10) / 3.0 })]
    [InlineData(GroupImportance.BnScale, new[] { 0.5, 2 })]
    [InlineData(GroupImportance.Taylor, new[] { (12 + 15) / 2.0, (8 + 20) / 2.0 })]
    public void Scores_rows_scales_and_columns_and_takes_their_mean(GroupImportance importance, double[] expected)
    {
        using var network = Network();
        var site = network.Sites().Single();

        var raw = GroupScores.Raw(site, importance, name => full_like(network[name], name[0] switch { 'c' => -2, 'b' => 3, _ => 5 }));

        Assert.Equal(expected, raw.data<double>().ToArray(), (one, other) => Math.Abs(one - other) < 1e-6);
        var mean = expected.Average();
        if (importance != GroupImportance.Taylor)
            Assert.Equal(expected.Select(score => score / mean), GroupScores.Of(site, importance, null, 0, 0), (one, other) => Math.Abs(one - other) < 1e-6);
    }

    [Fact]
    public void Filters_near_the_others_are_worth_little()
    {
        // On a line: 0, 3 and 4.
        var lines = GroupScores.Lines(GroupImportance.Fpgm, 0, tensor([0f, 0f, 3f, 0f, 4f, 0f], [3, 2, 1, 1]), null);

        Assert.Equal([7, 4, 5], lines.data<double>().ToArray(), (one, other) => Math.Abs(one - other) < 1e-6);
    }

    [Fact]
    public void Lamp_is_a_share_of_what_is_at_least_as_large()
    {
        Assert.Equal([4.0 / 9, 1.0 / 10, 1], GroupScores.Lamp([4, 1, 5]));
        Assert.Equal([2.0 / 4, 1], GroupScores.Lamp([2, 2]));
        Assert.Equal([0.0, 0], GroupScores.Lamp([0, 0]));
    }

    [Fact]
    public void Random_scores_follow_from_the_seed()
    {
        using var network = Network();
        var site = network.Sites().Single();

        Assert.Equal(GroupScores.Of(site, GroupImportance.Random, null, 3, 1), GroupScores.Of(site, GroupImportance.Random, null, 3, 1));
        Assert.NotEqual(GroupScores.Of(site, GroupImportance.Random, null, 3, 1), GroupScores.Of(site, GroupImportance.Random, null, 4, 1));
        Assert.NotEqual(GroupScores.Of(site, GroupImportance.Random, null, 3, 1), GroupScores.Of(site, GroupImportance.Random, null, 3, 2));
    }

    [Fact]
    public void Scores_that_are_no_numbers_and_scales_that_are_not_there_are_refused()
    {
        using var network = Network();
        network.Slot("bn.weight").Set(tensor([float.NaN, 1f]));
        var g = new GraphBuilder(1);
        g.Linear("fc", g.Flatten("flatten", g.Convolution("conv", g.Image, 2, 1)), 2);
        using var bare = VisionFolder.Create(new ImageConfig("Bare", g.Build()), 1);

        Assert.Contains("not finite", Assert.Throws<StageException>(() => GroupScores.Of(network.Sites().Single(), GroupImportance.L2, null, 0, 0)).Message, StringComparison.Ordinal);
        Assert.Contains("conv: has no batch norm", Assert.Throws<StageException>(() => GroupScores.Of(bare.Sites().Single(), GroupImportance.BnScale, null, 0, 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_site_loses_the_same_share_or_the_lowest_of_all_go()
    {
        var ranking = new GroupRanking([[3, 1, 2, 4], [10, 30, 20, 40]]);

        Assert.Equal<int[]>([[0, 3], [1, 3]], ranking.Local(0.5));
        Assert.Equal<int[]>([[0, 2, 3], [1, 2, 3]], ranking.Local(0.25));

        // One of the first site stays, though it scores less than all of the second.
        Assert.Equal<int[]>([[3], [1, 2, 3]], ranking.Global(0.5));
        Assert.Equal<int[]>([[3], [3]], ranking.Global(8));
        Assert.Equal<int[]>([[2], [0, 1, 2]], new GroupRanking([[1, 1, 1], [1, 1, 1]]).Global(2));
    }

    [Fact]
    public void Widths_that_lose_channels_are_rounded_down()
    {
        var scores = new[] { Enumerable.Range(0, 10).Select(unit => (double)unit).ToArray(), [.. Enumerable.Range(0, 3).Select(unit => 100.0 + unit)] };

        // Seven of ten become four; what loses nothing is left, and what has fewer than four too.
        Assert.Equal<int[]>([[6, 7, 8, 9], [0, 1, 2]], new GroupRanking(scores, 4).Global(3));
        Assert.Equal<int[]>([[6, 7, 8, 9], [0, 1, 2]], new GroupRanking(scores, 4).Local(0.5));
    }

    [Theory]
    [InlineData(GroupOrder.Global)]
    [InlineData(GroupOrder.Local)]
    public void The_fewest_go_that_meet_the_budget(GroupOrder order)
    {
        var ranking = new GroupRanking([[1, 2, 3, 4], [5, 6, 7, 8]]);

        var kept = ranking.Within(30, order, counts => counts[0] * 10 + counts[1]);

        Assert.Equal(order == GroupOrder.Global ? [[2, 3], [0, 1, 2, 3]] : [[2, 3], [2, 3]], kept);
        Assert.Contains("more than the 10", Assert.Throws<StageException>(() => ranking.Within(10, order, counts => counts[0] * 10 + counts[1])).Message, StringComparison.Ordinal);
    }
}
