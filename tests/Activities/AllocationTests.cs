using Pipelines.Activities.Allocation;
using Pipelines.Activities.Calibration;
using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

public sealed class AllocationTests
{
    /// <summary>Outliers of the dense model, the ratios they give, and Wanda's masks at those ratios.</summary>
    [Fact]
    public void Owl_gives_the_reference_its_ratios_and_masks()
    {
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU, ScalarType.Float32);
        using var golden = SafetensorsFile.Open(Golden.Path("prune/llama-tiny-trained/owl_wanda_0.5.safetensors"));
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var tokens = Golden.Tokens("calib");
        using var statistics = Gathered.Of(model, tokens, new StatisticsPlan(StatisticKinds.MeanSquare));

        var outliers = model.Blocks.Select(block => OwlAllocation.OutlierPercent(
            [.. block.Linears.Select(linear => linear.Weight.abs() * statistics.MeanSquare(linear.Name).sqrt().to(ScalarType.Float32))], 3)).ToArray();
        var sparsities = OwlAllocation.Sparsities(outliers, 0.5, 0.04);

        Assert.Equal([6.642795138888889, 7.063802083333333, 7.08984375, 5.479600694444445], outliers, Near);
        Assert.Equal([0.50366577, 0.52458221, 0.52587601, 0.44587601], sparsities.Select(sparsity => 1 - sparsity), Near);
        using var runner = new BlockRunner(model, tokens, TestContext.Current.CancellationToken);
        while (runner.MoveNext())
        {
            using (var moments = runner.Measure(spread: false))
            {
                foreach (var linear in runner.Block.Linears)
                {
                    WandaPrune.Prune(linear, moments[linear.Name].MeanSquare, sparsities[runner.Index], null);
                    Assert.Equal(0, golden.View($"{linear.Name}.keep").eq(0).ne(linear.Weight.eq(0)).sum().ToInt64());
                }
            }

            runner.Advance();
        }

        Assert.Equal(1, Golden.Perplexity(model, 64) / 8.584822654724121, 1e-4);
    }

    [Fact]
    public void Owl_is_uniform_where_blocks_do_not_differ() =>
        Assert.Equal([0.6, 0.6], OwlAllocation.Sparsities([3, 3], 0.6, 0.08));

    [Theory]
    [InlineData(0.3, new[] { 3, 3, 6 })]
    [InlineData(0.35, new[] { 4, 3, 7 })]
    [InlineData(0, new[] { 0, 0, 0 })]
    [InlineData(1, new[] { 10, 10, 20 })]
    public void Uniform_counts_sum_to_the_share_of_the_whole(double ratio, int[] expected) =>
        Assert.Equal(expected, Apportionment.Uniform([10, 10, 20], ratio));

    [Fact]
    public void Rounding_keeps_the_sum_and_the_bounds()
    {
        var random = new Random(4);
        for (var round = 0; round < 200; round++)
        {
            var most = Enumerable.Range(0, 7).Select(_ => random.Next(12)).ToArray();
            var total = random.Next(most.Sum() + 1);

            var counts = Apportionment.Round([.. most.Select(_ => random.NextDouble() * 12)], total, most);

            Assert.Equal(total, counts.Sum());
            Assert.All(counts.Zip(most), one => Assert.InRange(one.First, 0, one.Second));
        }

        Assert.Throws<ArgumentException>(() => Apportionment.Round([1, 1], 3, [1, 1]));
    }

    [Theory]
    // Lowest first: b0 (cost 1), a1 (cost 4), then b1 and b2, equal to a0: the site that comes first goes first.
    [InlineData(1, BudgetRule.AtMost, new[] { 0, 1, 2 }, new[] { 1, 2 })]
    [InlineData(2, BudgetRule.AtMost, new[] { 0, 1, 2 }, new[] { 1, 2 })]
    [InlineData(2, BudgetRule.AtLeast, new[] { 0, 2 }, new[] { 1, 2 })]
    [InlineData(3.6, BudgetRule.Nearest, new[] { 0, 2 }, new[] { 1, 2 })]
    [InlineData(9, BudgetRule.AtMost, new[] { 2 }, new[] { 1, 2 })]
    [InlineData(10, BudgetRule.AtMost, new[] { 2 }, new[] { 2 })]
    [InlineData(10, BudgetRule.AtLeast, new[] { 2 }, new[] { 2 })]
    public void A_ranking_goes_through_units_of_all_sites_by_cost(double budget, BudgetRule rule, int[] a, int[] b)
    {
        var kept = GlobalRanking.Keep([new("a", [5, 2, 9], 4), new("b", [1, 5, 5], 1)], budget, rule);

        Assert.Equal([a, b], kept);
    }

    [Fact]
    public void A_ranking_leaves_every_site_what_it_must_have()
    {
        RankedSite[] sites = [new("a", [1, 2, 3], 1, Least: 2), new("b", [7, 8, 9], 1)];

        Assert.Equal([[1, 2], [2]], GlobalRanking.Keep(sites, 3, BudgetRule.AtMost));
        var error = Assert.Throws<StageException>(() => GlobalRanking.Keep(sites, 4, BudgetRule.AtLeast));
        Assert.Equal("the units that may go cost 3, less than the 4 to remove", error.Message);
        error = Assert.Throws<StageException>(() => GlobalRanking.Keep([new("a", [double.NaN], 1)], 1, BudgetRule.AtMost));
        Assert.Equal("a: a score is not a number", error.Message);
    }

    [Fact]
    public void A_ranking_by_score_per_cost_prefers_what_frees_more() =>
        Assert.Equal(
            [[1], [0, 1]],
            GlobalRanking.Keep([new("a", [3, 6], 4), new("b", [1, 2], 1)], 4, BudgetRule.AtMost, RankBy.ScorePerCost));

    [Fact]
    public void A_share_of_the_whole_that_is_a_whole_number_is_removed_whole() =>
        // 0.1 · 30 is 3.0000000000000004 or 2.9999999999999996, by the order of the factors.
        Assert.Equal(27, GlobalRanking.Keep([new("a", [.. Enumerable.Range(0, 30)], 1)], 30 * (1 - 0.9), BudgetRule.AtMost)[0].Length);

    [Fact]
    public void Importance_gives_a_softmax_with_the_mean_asked_for()
    {
        // softmax(−[0 ε·ln 2]) = [2/3 1/3], times 2 · 0.3.
        var ratios = ImportanceAllocation.Ratios([0, 0.15 * Math.Log(2)], 0.3);

        Assert.Equal([0.4, 0.2], ratios, Near);
    }

    [Theory]
    [InlineData(0.15)]
    [InlineData(0.001)]
    [InlineData(1e9)]
    public void Importance_keeps_the_mean_whatever_is_clipped(double temperature)
    {
        double[] importance = [0.4, 0.05, 0.02, 0.02, 0.1, 0.3, 0.9];

        var ratios = ImportanceAllocation.Ratios(importance, 0.45, temperature, 0.8);

        Assert.Equal(0.45 * 7, ratios.Sum(), 1e-12);
        Assert.All(ratios, ratio => Assert.InRange(ratio, 0, 0.8));
        // What matters more never loses more.
        var byImportance = importance.Zip(ratios).OrderBy(one => one.First).Select(one => one.Second).ToArray();
        Assert.All(byImportance.Zip(byImportance.Skip(1)), pair => Assert.True(pair.Second <= pair.First + 1e-12));
        Assert.Equal(ratios[2], ratios[3], 1e-12);
    }

    [Fact]
    public void Importance_refuses_what_cannot_be()
    {
        Assert.Throws<StageException>(() => ImportanceAllocation.Ratios([1, 2], 0.9, most: 0.8));
        Assert.Throws<StageException>(() => ImportanceAllocation.Ratios([1, double.NaN], 0.3));
        Assert.Throws<StageException>(() => ImportanceAllocation.Ratios([1, 2], 0.3, temperature: 0));
        Assert.Equal([0.8, 0.8], ImportanceAllocation.Ratios([1, 2], 0.8), Near);
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) < 1e-8;
}
