using Pipelines.Activities.Gates;
using Pipelines.Tests.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Gates;

public sealed class BudgetTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(80, 0.40, 16, 0, 16 * 0.69314718056, 16.0 / 80)]
    [InlineData(20, 0.40, 16, 0, 16 * 0.69314718056, -16.0 / 20)]
    [InlineData(40, 0.40, 16, 0, 0, 0)]
    [InlineData(0, 0.40, 16, 0.001, 16 * 5.99396142730, -16 / 0.001 / 100)]
    public void Log_ratio_costs_alike_above_and_below(
        double size, double kept, double weight, double smoothing, double loss, double slope)
    {
        var at = tensor(size, requires_grad: true);

        var found = BudgetLoss.LogRatio(at, 100, kept, weight, smoothing);
        found.backward();

        Near.Equal(loss, found, 1e-9);
        Near.Equal(slope, at.grad!, 1e-9);
    }

    [Theory]
    [InlineData(80, 2 * 0.69314718056, 2.0 / 80)]
    [InlineData(30, 0, 0)]
    public void A_one_sided_budget_costs_nothing_below_its_target(double size, double loss, double slope)
    {
        var at = tensor(size, requires_grad: true);

        var found = BudgetLoss.Above(at, 100, 0.40, 2);
        found.backward();

        Near.Equal(loss, found, 1e-9);
        Near.Equal(slope, at.grad!, 1e-9);
    }

    [Theory]
    [InlineData(0, 0.1)]
    [InlineData(10, 0.1)]
    [InlineData(50, 0.5 - 0.4 * 0.125)]
    [InlineData(30, 0.5 - 0.4 * 0.421875)]
    [InlineData(90, 0.5)]
    [InlineData(99, 0.5)]
    [InlineData(1000, 0.5)]
    public void The_cubic_schedule_rests_at_both_ends(int step, double sparsity) =>
        Assert.Equal(sparsity, new SparsitySchedule(0.1, 0.5, 100, WarmUp: 10, CoolDown: 10).At(step), 1e-12);

    [Fact]
    public void A_schedule_rises_and_may_be_linear_or_have_no_steps_to_rise_in()
    {
        var cubic = new SparsitySchedule(0, 0.7, 40);
        Assert.All(Enumerable.Range(0, 40), step => Assert.True(cubic.At(step) < cubic.At(step + 1)));
        Assert.Equal(0.7 * 0.25, (cubic with { Power = 1 }).At(10), 1e-12);
        Assert.Equal(0.7, new SparsitySchedule(0, 0.7, 10, WarmUp: 5, CoolDown: 5).At(5));
        Assert.Equal(0, new SparsitySchedule(0, 0.7, 10, WarmUp: 5, CoolDown: 5).At(4));
    }

    [Fact]
    public void A_layers_size_counts_its_linears_under_five_index_sets()
    {
        // 8 wide, 4 query and 2 key-value channels, 10 neurons; the sets hold 5, 3, 6, 7 and 4.
        var layer = DispLlmLayer.Gated(8, 4, 2, 10);
        Tensor[] gates = [.. ((int[])[5, 3, 6, 7, 4]).Zip(layer.GateSizes, First)];

        var size = layer.Size(gates);
        size.backward();

        Near.Equal(5 * (4 + 2 * 2) + 3 * 4 + 2 * 6 * 7 + 7 * 4, size);
        double[] slopes = [4 + 2 * 2, 4, 2 * 7, 2 * 6 + 4, 7];
        Assert.All(gates.Zip(slopes), gate => Assert.True(gate.First.grad!.eq(gate.Second).all().ToBoolean()));
        Assert.Equal(layer.FullSize, layer.Size([.. layer.GateSizes.Select(n => ones(n))]).ToInt64());
        Assert.Equal(8 * 4 + 2 * 8 * 2 + 4 * 8 + 3 * 8 * 10, layer.FullSize);
        Assert.Throws<ArgumentException>(() => layer.Size(gates[..4]));
        Assert.Throws<ArgumentException>(() => DispLlmLayer.Size([layer, layer], gates));

        static Tensor First(int count, long of) => arange(of).lt(count).to(ScalarType.Float32).requires_grad_();
    }

    [Fact]
    public void Sizes_of_large_layers_are_exact_in_half_precision()
    {
        var layer = DispLlmLayer.Gated(4096, 4096, 1024, 14336);

        var size = layer.Size([.. layer.GateSizes.Select(n => ones(n, dtype: ScalarType.BFloat16))]);

        Assert.Equal(218_103_808, size.ToInt64());
    }
}
