using Pipelines.Activities.Allocation;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>What an agent did and what came of it: the last so many steps, in tensors of a fixed size, which checkpoints hold.</summary>
internal sealed class Experience : IDisposable
{
    private readonly Tensor states;
    private readonly Tensor actions;
    private readonly Tensor rewards;
    private readonly Tensor nexts;
    private readonly Tensor ends;
    private readonly Tensor rounds;
    private readonly Tensor added;

    public Experience(int capacity, int width)
    {
        using var scope = NewDisposeScope();
        states = zeros(capacity, width).DetachFromDisposeScope();
        actions = zeros(capacity, 1).DetachFromDisposeScope();
        rewards = zeros(capacity, 1).DetachFromDisposeScope();
        nexts = zeros(capacity, width).DetachFromDisposeScope();
        ends = zeros(capacity, 1).DetachFromDisposeScope();
        rounds = zeros(capacity, ScalarType.Int64).DetachFromDisposeScope();
        added = zeros(1, ScalarType.Int64).DetachFromDisposeScope();
        Named = [("states", states), ("actions", actions), ("rewards", rewards), ("nexts", nexts), ("ends", ends), ("rounds", rounds), ("added", added)];
    }

    public IReadOnlyList<(string Name, Tensor Tensor)> Named { get; }

    public int Count => (int)Math.Min(added.ToInt64(), states.shape[0]);

    /// <param name="next">Null at the end of an episode.</param>
    /// <param name="round">When it was.</param>
    public void Add(double[] state, double action, double reward, double[]? next, int round)
    {
        using var scope = NewDisposeScope();
        var at = added.ToInt64() % states.shape[0];
        states[at] = Row(state);
        actions[at] = tensor((float)action);
        rewards[at] = tensor((float)reward);
        nexts[at] = Row(next ?? new double[state.Length]);
        ends[at] = tensor(next is null ? 1f : 0f);
        rounds[at] = tensor((long)round);
        added.add_(1);
    }

    /// <summary>Some of it, drawn with repetition.</summary>
    public Moments Draw(int count, SplitMix random)
    {
        using var index = tensor(Enumerable.Range(0, count).Select(_ => (long)random.Below(Count)).ToArray());
        return new Moments(
            states.index_select(0, index), actions.index_select(0, index), rewards.index_select(0, index),
            nexts.index_select(0, index), ends.index_select(0, index), rounds.index_select(0, index));
    }

    public void Dispose()
    {
        foreach (var (_, tensor) in Named)
            tensor.Dispose();
    }

    private static Tensor Row(double[] values) => tensor(values.Select(value => (float)value).ToArray());
}

/// <summary>Steps of episodes, row by row.</summary>
/// <param name="Ends">[B, 1]: 1 where the episode ended.</param>
/// <param name="Rounds">[B], int64.</param>
internal sealed record Moments(Tensor States, Tensor Actions, Tensor Rewards, Tensor Nexts, Tensor Ends, Tensor Rounds);
