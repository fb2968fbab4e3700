using Pipelines.Activities.Evaluation;
using Pipelines.Workflows;

namespace Pipelines.Tests.Activities.Unlearning;

public sealed class SupportVectorsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3, 1.0186573603637741)]
    [InlineData(0.5, 0.5)]
    public void Two_points_have_the_multiplier_that_can_be_worked_out(double cost, double multiplier)
    {
        // At −1 and 1 with γ = 1: the dual is 2a − a² (1 − e⁻⁴), greatest at a = 1 / (1 − e⁻⁴) unless the cost is below.
        var machine = SupportVectors.Train([[-1], [1]], [false, true], cost, gamma: 1, tolerance: 1e-9, cancellation: Cancellation);

        Assert.Equal(-multiplier, machine.Weights.Min(), 9);
        Assert.Equal(multiplier, machine.Weights.Max(), 9);
        Assert.Equal(0, machine.Offset, 9);
        Assert.Equal(0, machine.Decide([0]), 9);
        Assert.Equal(multiplier * (1 - Math.Exp(-4)), machine.Decide([1]), 9);
        Assert.True(machine.Decide([-0.1]) < 0);
    }

    [Fact]
    public void A_point_that_is_there_twice_is_one_with_twice_the_cost()
    {
        // Three of the first class at 0 against one of the other: its multiplier is at its limit of 1, theirs share it.
        var machine = SupportVectors.Train([[0], [0], [0], [2]], [true, true, true, false], cost: 1, gamma: 0.5, tolerance: 1e-9, cancellation: Cancellation);

        Assert.Equal([-1, 1], machine.Weights.Order());

        // Free at 0 (1 below 3): f(0) = 1 there, so b = 1 − (1 − e⁻²) = e⁻².
        Assert.Equal(Math.Exp(-2), machine.Offset, 9);
    }

    [Fact]
    public void Classes_that_lie_on_each_other_are_told_apart_by_numbers()
    {
        double[][] points = [[0], [0], [0], [1], [1], [1]];
        bool[] first = [true, true, false, true, false, false];

        var machine = SupportVectors.Train(points, first, cost: 3, gamma: 1, cancellation: Cancellation);

        Assert.True(machine.Decide([0]) > 0);
        Assert.True(machine.Decide([1]) < 0);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    public void The_conditions_of_the_optimum_hold(int seed, int width)
    {
        const double cost = 1.5;
        const double gamma = 0.7;
        var random = new Random(seed);
        double[][] points = [.. Enumerable.Range(0, 12).Select(_ => Enumerable.Range(0, width).Select(_ => random.NextDouble() * 3).ToArray())];
        bool[] first = [.. points.Select(point => point[0] + random.NextDouble() > 1.8)];

        var machine = SupportVectors.Train(points, first, cost, gamma, tolerance: 1e-10, cancellation: Cancellation);

        // Margin at least 1 at no multiplier, at most 1 at the highest, 1 between.
        var weights = points.Select(point => machine.Decide(point)).ToArray();
        var found = machine.Points.Zip(machine.Weights).ToDictionary(one => one.First, one => Math.Abs(one.Second));
        double[] multipliers = [.. points.Select(point => found.GetValueOrDefault(point))];
        Assert.Equal(0, multipliers.Zip(first, (a, one) => one ? a : -a).Sum(), 9);
        foreach (var (margin, multiplier) in weights.Zip(first, (value, one) => one ? value : -value).Zip(multipliers))
        {
            Assert.InRange(multiplier, 0, cost);
            if (multiplier < cost - 1e-9)
                Assert.True(margin > 1 - 1e-6, $"{margin} at {multiplier}");
            if (multiplier > 1e-9)
                Assert.True(margin < 1 + 1e-6, $"{margin} at {multiplier}");
        }
    }

    [Fact]
    public void One_class_alone_is_refused() =>
        Assert.Contains("no example", Assert.Throws<StageException>(() => SupportVectors.Train([[1], [2]], [true, true], 1, 1, cancellation: Cancellation)).Message);
}
