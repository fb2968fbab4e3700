using Pipelines.Activities.Allocation;
using Pipelines.Activities.Tuning;
using Pipelines.Tests.Torch;
using Pipelines.Workflows;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Tuning;

/// <summary>The agent that prunes: its decisions and their bounds, its policy's density, and that it learns what is rewarded.</summary>
public sealed class PruningAgentTests : IDisposable
{
    private static readonly PruningPlace[] Places = [new(16, 10, 1, 3), new(16, 10, 2, 3), new(32, 20, 1, 1)];

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Bounds_keep_the_budget_within_reach()
    {
        // T = 100, 10 of it fixed: F is 30, 30 and 30; 55 may stay.
        var walk = new PruningWalk(Places, Cost, 55);

        // Least widths 4, 4, 4 cost 12, 12 and 6: at most 55 − 10 − 12 − 6 = 27 for the first, 9 channels.
        Assert.Equal((4, 9), walk.Bounds([]));
        // 9 are 27: 55 − 10 − 27 − 6 = 12 is the least of the second.
        Assert.Equal((4, 4), walk.Bounds([9]));
        Assert.Equal((4, 4), walk.Bounds([9, 4]));
        // 4 and 4 are 24: all 14 channels that 21 pay for stay, for there is no other place to use them.
        Assert.Equal((14, 14), walk.Bounds([4, 4]));
        Assert.Equal((14, 0.3), Rounded(walk.Take([4, 4], 0.9)));
        Assert.Equal((9, 0.1), Rounded(walk.Take([], 0)));
        Assert.Equal((7, 0.3), Rounded(walk.Take([], 0.31)));
        Assert.Contains("40.0% of the multiply-adds are left, more than the 39.0%", Assert.Throws<StageException>(() => new PruningWalk(Places, Cost, 39)).Message.Replace(" %", "%", StringComparison.Ordinal));

        static (int, double) Rounded((int Channels, double Action) taken) => (taken.Channels, Math.Round(taken.Action, 9));
    }

    [Fact]
    public void A_state_tells_the_place_and_what_the_others_cost()
    {
        var walk = new PruningWalk(Places, Cost, 55);

        Near(walk.State([], 0), 0, 0.5, 0.5, 0.5, 1, 0.3, 0.1, 0.9, 0);
        Near(walk.State([9, 4], 0.6), 2 / 3.0, 1, 1, 0.5, 1 / 3.0, 0.3, 0.49, 0.3, 0.6);

        static void Near(double[] found, params double[] expected)
        {
            Assert.Equal(PruningWalk.StateWidth, found.Length);
            Assert.All(found.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-9));
        }
    }

    [Fact]
    public void A_drawn_action_lies_between_0_and_1_with_the_density_that_it_has()
    {
        var mean = tensor(new[] { 0.0, 1, 30 }).requires_grad_();

        var (action, density) = SquashedGaussian.At(mean, tensor(new[] { 0.0, Math.Log(2), 0 }), tensor(new[] { 0.0, 0.5, 0 }));
        density.sum().backward();

        Near.Equal(0.5, action[0], 1e-12);
        Near.Equal((Math.Tanh(2) + 1) / 2, action[1], 1e-12);
        // ln N(0) − ln ½, and for u = 2: ln N − ln 2 − ln((1 − tanh² 2) / 2).
        Near.Equal(-0.5 * Math.Log(2 * Math.PI) + Math.Log(2), density[0], 1e-9);
        Near.Equal(-0.5 * Math.Log(2 * Math.PI) - 0.125 - Math.Log(2) - Math.Log((1 - Math.Pow(Math.Tanh(2), 2)) / 2), density[1], 1e-9);
        Assert.True(density.isfinite().all().ToBoolean());
        Assert.True(mean.grad!.isfinite().all().ToBoolean());
    }

    [Fact]
    public void A_critic_is_to_say_what_comes_and_what_chance_is_worth()
    {
        // 1 + 0.99 (3 − 0.1 · 2), and only the reward at the end.
        var wanted = PruningAgent.Wanted(tensor(new[] { 1.0, 1 }), tensor(new[] { 0.0, 1 }), tensor(new[] { 3.0, 3 }), tensor(new[] { 2.0, 2 }));

        Near.Equal([3.772, 1], wanted, 1e-12);
    }

    [Fact]
    public void Experience_forgets_the_oldest()
    {
        using var experience = new Experience(3, 2);
        for (var i = 1; i <= 4; i++)
            experience.Add([i, 0], i, i, i == 4 ? null : [i, 1], i);

        var drawn = experience.Draw(50, new SplitMix(1, 2));

        Assert.Equal(3, experience.Count);
        Assert.Equal([2f, 3, 4], drawn.Rewards.view(-1).data<float>().ToArray().Distinct().Order());
        Assert.True(drawn.Ends.view(-1).Equals(drawn.Rewards.view(-1).eq(4).to(ScalarType.Float32)));
        Assert.True(drawn.States.select(1, 0).Equals(drawn.Actions.view(-1)));
        Assert.True(drawn.Rounds.to(ScalarType.Float32).Equals(drawn.Actions.view(-1)));
    }

    [Fact]
    public void It_learns_what_is_rewarded_and_when()
    {
        using var generator = new Generator(4);
        using var agent = new PruningAgent(rounds: 2, stateWidth: 2, generator);
        using var experience = new Experience(400, 2);
        var random = new SplitMix(5, 0);
        for (var i = 0; i < 400; i++)
        {
            // In round 0 it pays to prune much, in round 1 little.
            var (round, action) = (i % 2, random.Share());
            experience.Add([0.5, 0.5], action, round == 0 ? action : 1 - action, null, round);
        }

        var first = agent.LearnTimes(experience.Draw(64, random));
        for (var update = 0; update < 150; update++)
            Step(() => agent.LearnTimes(experience.Draw(64, random)));
        var last = agent.LearnTimes(experience.Draw(64, random));
        var times = agent.Times().detach();
        for (var update = 0; update < 400; update++)
            Step(() => agent.Learn(experience.Draw(64, random), times, generator));

        Assert.True(last < 0.1 * first, $"{first} → {last}");
        Assert.True(Mean(0) > Mean(1) + 0.1, $"{Mean(0)}, {Mean(1)}");

        double Mean(int round) => Enumerable.Range(0, 50).Average(_ => agent.Act([0.5, 0.5], times, round, generator));

        static void Step(Action step)
        {
            using var inner = NewDisposeScope();
            step();
        }
    }

    private static double Cost(IReadOnlyList<int> channels) => 10 + 3 * channels[0] + 3 * channels[1] + 1.5 * channels[2];
}
