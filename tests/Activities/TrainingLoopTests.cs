using Pipelines.Activities.Modeling;
using Pipelines.Tests.Fixtures;
using Pipelines.Tests.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

public sealed class TrainingLoopTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_group_at_rate_zero_rests_with_its_moments()
    {
        // Even steps move the first alone, odd ones the second: the same as each by itself, with half the steps.
        var (first, second) = (ones(3).requires_grad_(), ones(3).requires_grad_());
        var (alone, slope) = (ones(3).requires_grad_(), tensor(new[] { 1f, -2f, 3f }));
        var loop = new TrainingLoop(10, 0.1, 0.5) { Schedule = RateSchedule.Constant };

        Run(loop, step => ((step % 2 == 0 ? first : second) * (slope + step / 2)).sum(),
            [new([first], step => step % 2 == 0 ? 0.1 : 0, 0.5), new([second], step => step % 2 == 1 ? 0.1 : 0, 0.5)]);
        Run(loop with { Steps = 5 }, step => (alone * (slope + step)).sum(), [new([alone], loop.RateAt, 0.5)]);

        Assert.True(first.Equals(alone));
        Assert.True(second.Equals(alone));
    }

    [Fact]
    public void A_constant_rate_and_a_wide_clip_move_a_parameter_by_the_rate()
    {
        // Adam's first step has the size of the rate, whatever the gradient.
        var weight = zeros(2).requires_grad_();
        var loop = new TrainingLoop(1, 0.25, 0) { Schedule = RateSchedule.Constant, Beta2 = 0.999, Clip = 1e9 };

        Run(loop, _ => (weight * tensor(new[] { 100f, -5f })).sum(), [new([weight], loop.RateAt, 0)]);

        Assert.Equal(0.25, loop.RateAt(0));
        Near.Equal(-0.25, weight[0], 1e-6);
        Near.Equal(0.25, weight[1], 1e-6);
    }

    [Theory]
    [InlineData(0.0, false, 0.8, 0.6)]
    [InlineData(0.9, false, 0.8, 0.42)]
    [InlineData(0.9, true, 0.62, 0.078)]
    public void Sgd_moves_by_the_gradient_and_what_is_left_of_the_last_moves(double momentum, bool nesterov, double first, double second)
    {
        // A slope of 2 and a rate of 0.1. With momentum the second move is 0.1 (2 + 0.9 · 2); Nesterov looks a step ahead.
        var loop = new TrainingLoop(1, 0.1, 0) { Schedule = RateSchedule.Constant, Sgd = new Momentum(momentum, nesterov), Clip = double.PositiveInfinity };
        foreach (var (steps, expected) in new[] { (1, first), (2, second) })
        {
            var weight = ones(1).requires_grad_();
            Run(loop with { Steps = steps }, _ => (weight * 2).sum(), [new([weight], loop.RateAt, 0)]);
            Near.Equal(expected, weight[0], 1e-6);
        }
    }

    [Fact]
    public void Sgds_weight_decay_pulls_to_zero()
    {
        var weight = (ones(1) * 4).requires_grad_();
        var loop = new TrainingLoop(1, 0.1, 0.5) { Schedule = RateSchedule.Constant, Sgd = new Momentum(0, false) };

        Run(loop, _ => (weight * 0).sum(), [new([weight], loop.RateAt, loop.WeightDecay)]);

        Near.Equal(4 - 0.1 * 0.5 * 4, weight[0], 1e-6);
    }

    [Fact]
    public void Rates_rise_and_then_fall_along_their_schedule()
    {
        var cosine = new TrainingLoop(100, 2, 0) { Warmup = 4, Floor = 0 };
        var steps = new TrainingLoop(8, 2, 0) { Warmup = 0, Schedule = RateSchedule.Steps };
        var usual = new TrainingLoop(100, 2, 0);

        Assert.Equal([0.5, 1, 1.5, 2, 2], Enumerable.Range(0, 5).Select(cosine.RateAt));
        Assert.Equal(1, cosine.RateAt(52), 12);
        Assert.Equal([2, 2, 2, 2, 0.2, 0.2, 0.02, 0.02], Enumerable.Range(0, 8).Select(steps.RateAt));
        Assert.Equal(0.4, usual.RateAt(0), 12);
        Assert.Equal(2 * 0.55, usual.RateAt(5) / 2 + usual.RateAt(100) / 2, 12);
    }

    private static void Run(TrainingLoop loop, Func<int, Tensor> lossOf, IReadOnlyList<TrainedGroup> groups) => loop.Run(
        (_, step) => lossOf(step), groups, _ => zeros(1, 1), StageFolder.Unkept, TestContext.Current.CancellationToken);
}
