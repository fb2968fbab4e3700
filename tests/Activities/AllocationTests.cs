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
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Outliers of the dense model, the ratios they give, and Wanda's masks at those ratios.</summary>
    [Fact]
    public void Owl_gives_the_reference_its_ratios_and_masks()
    {
        using var model = CausalFolder.Load(Golden.Path("models/llama-tiny-trained"), CPU, ScalarType.Float32);
        using var golden = SafetensorsFile.Open(Golden.Path("prune/llama-tiny-trained/owl_wanda_0.5.safetensors"));
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var tokens = Golden.Tokens("calib");
        using (var runner = new BlockRunner(model, tokens, Cancellation))
        {
            var outliers = new List<double>();
            while (runner.MoveNext())
            {
                using var moments = runner.MeasureAndAdvance(spread: false);
                outliers.Add(OwlAllocation.OutlierPercent(runner.Block, linear => moments[linear].MeanSquare, 3));
            }

            Assert.Equal([6.642795138888889, 7.063802083333333, 7.08984375, 5.479600694444445], outliers, Near);
            Assert.Equal(
                [0.50366577, 0.52458221, 0.52587601, 0.44587601],
                OwlAllocation.Sparsities(outliers, 0.5, 0.04).Select(sparsity => 1 - sparsity), Near);
        }

        WandaPrune.Run(model, tokens, 0.5, null, (_, _, _, _) => { }, Cancellation, new OwlOptions(3, 0.04));

        foreach (var linear in model.Linears())
            Assert.Equal(0, golden.View($"{linear.Name}.keep").eq(0).ne(linear.Weight.eq(0)).sum().ToInt64());
        Assert.Equal(1, Golden.Perplexity(model, 64) / 8.584822654724121, 1e-4);
    }

    [Fact]
    public void Owl_is_uniform_where_blocks_do_not_differ() =>
        Assert.Equal([0.6, 0.6], OwlAllocation.Sparsities([3, 3], 0.6, 0.08));

    [Fact]
    public void Owl_refuses_a_span_that_a_block_has_no_room_for()
    {
        var error = Assert.Throws<StageException>(() => OwlAllocation.Sparsities([0, 1], 0.95, 0.08));

        Assert.Equal("a sparsity of 0.95 spread by 0.08 gives block 0 one of 1.03: spread less", error.Message);
    }

    [Fact]
    public void Owl_spreads_what_SparseGpt_zeroes_and_keeps_the_mean()
    {
        using var model = TinyArchitectures.Create("llama");
        using var ungraded = no_grad();
        using var tokens = randint(0, 32, [8, 16], dtype: ScalarType.Int64, generator: new Generator(1, CPU));

        SparseGptPrune.Run(
            model, tokens, new SparseGptOptions(0.5, Cut: MagnitudeCut.Exact), (_, _, _, _) => { }, Cancellation, new OwlOptions(2, 0.2));

        var sparsities = model.Blocks.Select(block => block.Linears.Average(linear => linear.Sparsity())).ToArray();
        Assert.Equal(0.4, sparsities.Max() - sparsities.Min(), 0.03);
        Assert.Equal(0.5, sparsities.Average(), 0.03);
    }

    [Theory]
    // Lowest first: b0 (cost 1), a1 (cost 4), then b1 and b2, equal to a0: the site that comes first goes first.
    [InlineData(1, new[] { 0, 1, 2 }, new[] { 1, 2 })]
    [InlineData(2, new[] { 0, 1, 2 }, new[] { 1, 2 })]
    [InlineData(5, new[] { 0, 2 }, new[] { 1, 2 })]
    [InlineData(9, new[] { 2 }, new[] { 1, 2 })]
    [InlineData(10, new[] { 2 }, new[] { 2 })]
    public void A_ranking_goes_through_units_of_all_sites_by_cost(double budget, int[] a, int[] b)
    {
        var kept = GlobalRanking.Keep([new("a", [5, 2, 9], 4), new("b", [1, 5, 5], 1)], budget);

        Assert.Equal([a, b], kept);
    }

    [Fact]
    public void A_ranking_leaves_every_site_what_it_must_have()
    {
        RankedSite[] sites = [new("a", [1, 2, 3], 1, Least: 2), new("b", [7, 8, 9], 1)];

        Assert.Equal([[1, 2], [2]], GlobalRanking.Keep(sites, 3));
        var error = Assert.Throws<StageException>(() => GlobalRanking.Keep([new("a", [double.NaN], 1)], 1));
        Assert.Equal("a: a score is not a number", error.Message);
    }

    [Fact]
    public void A_ranking_by_score_per_cost_prefers_what_frees_more() =>
        Assert.Equal(
            [[1], [0, 1]],
            GlobalRanking.Keep([new("a", [3, 6], 4), new("b", [1, 2], 1)], 4, RankBy.ScorePerCost));

    [Fact]
    public void A_share_of_the_whole_that_is_a_whole_number_is_removed_whole() =>
        // 0.1 · 30 is 3.0000000000000004 or 2.9999999999999996, by the order of the factors.
        Assert.Equal(27, GlobalRanking.Keep([new("a", [.. Enumerable.Range(0, 30)], 1)], 30 * (1 - 0.9))[0].Length);

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
