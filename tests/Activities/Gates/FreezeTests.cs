using Pipelines.Activities.Gates;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Gates;

public sealed class FreezeTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(7, "0", "0 1 2")]
    [InlineData(10, "0 1", "0 2")]
    [InlineData(11, "0 1", "0 1 2")]
    [InlineData(9, "0", "0 1 2")]
    [InlineData(6, "0", "0 2")]
    [InlineData(0, "0", "2")]
    public void The_likeliest_open_first_and_what_does_not_fit_is_passed_over(double budget, string first, string second)
    {
        double[] costs = [4, 1];

        var open = BudgetFreeze.Keep([tensor(new[] { 3f, 1f }), tensor(new[] { 2f, 0f, 5f })], (vector, _) => costs[vector], budget);

        Assert.Equal([first, second], open.Select(vector => string.Join(' ', vector)));
    }

    [Fact]
    public void A_budget_may_grow_with_what_is_open_elsewhere()
    {
        // The size is the product of two sets: 1, then 2, then 4 of 4.
        var logits = new[] { tensor(new[] { 4f, 3f }), tensor(new[] { 2f, 1f }) };

        var open = BudgetFreeze.Keep(logits, (vector, counts) => Math.Max(1, counts[1 - vector]) - (counts[1 - vector] == 0 ? 1 : 0), 3);

        Assert.Equal([2, 1], open.Select(vector => vector.Length));
    }

    [Fact]
    public void Noise_follows_from_the_seed_and_the_step()
    {
        var like = zeros(1000);
        Tensor At(long seed, long step)
        {
            using var generator = GateNoise.At(seed, step);
            return GateNoise.Uniform(like, generator);
        }

        Assert.True(At(3, 7).Equals(At(3, 7)));
        Tensor[] others = [At(3, 8), At(4, 7), At(7, 3), At(0, 0), At(-1, 0), At(0, -1)];
        Assert.All(others, other => Assert.InRange(Correlation(At(3, 7), other), -0.15, 0.15));

        static double Correlation(Tensor a, Tensor b) => (12 * ((a - 0.5) * (b - 0.5)).mean()).ToDouble();
    }
}
