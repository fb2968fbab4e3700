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

    private static void Run(TrainingLoop loop, Func<int, Tensor> lossOf, IReadOnlyList<TrainedGroup> groups) => loop.Run(
        (_, step) => lossOf(step), groups, _ => zeros(1, 1), StageFolder.Unkept, TestContext.Current.CancellationToken);
}
