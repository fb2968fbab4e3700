using Pipelines.Torch;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// A soft actor-critic (Haarnoja et al., arXiv:1801.01290) whose rewards change as the network that it prunes learns: it also
/// sees what time it is, as the state of a GRU over an embedding of each round, which a decoder of the rewards trains (RLAL,
/// Ganjdanesh et al., CVPR 2024). It lives on the CPU. Widths of embeddings and layers, and the decoder's rate, are ours.
/// </summary>
internal sealed class PruningAgent : IDisposable
{
    private const long Embedding = 64;
    private const long Context = 128;
    private const long Hidden = 128;
    private const double ActorRate = 1e-4;
    private const double CriticRate = 1e-3;
    private const double Discount = 0.99;
    private const double Follow = 0.005;
    private const double Entropy = 0.1;

    private readonly Parameter embeddings;
    private readonly Parameter[] gru;
    private readonly Perceptron decoder;
    private readonly Perceptron actor;
    private readonly Perceptron[] critics;
    private readonly Perceptron[] targets;
    private readonly Adam contextOptimizer;
    private readonly Adam actorOptimizer;
    private readonly Adam criticOptimizer;

    /// <param name="rounds">How often it acts in all.</param>
    public PruningAgent(int rounds, int stateWidth, Generator generator)
    {
        embeddings = Perceptron.Start([rounds, Embedding], Embedding, generator);
        long[][] shapes = [[3 * Context, Embedding], [3 * Context, Context], [3 * Context], [3 * Context]];
        gru = [.. shapes.Select(shape => Perceptron.Start(shape, Context, generator))];
        decoder = new Perceptron([stateWidth + 1 + Context, Hidden, Hidden, 1], generator);
        actor = new Perceptron([stateWidth + Context, Hidden, Hidden, 2], generator);
        critics = [.. Enumerable.Range(0, 2).Select(_ => new Perceptron([stateWidth + Context + 1, Hidden, Hidden, 1], generator))];
        targets = [.. critics.Select(_ => new Perceptron([stateWidth + Context + 1, Hidden, Hidden, 1], generator))];
        foreach (var (target, critic) in targets.Zip(critics))
            target.Follow(critic, 1);
        contextOptimizer = optim.Adam([embeddings, .. gru, .. decoder.Parameters], CriticRate);
        actorOptimizer = optim.Adam(actor.Parameters, ActorRate);
        criticOptimizer = optim.Adam(critics.SelectMany(critic => critic.Parameters), CriticRate);
        Named =
        [
            .. new[] { embeddings }.Concat(gru).Concat(decoder.Parameters).Select((parameter, index) => ($"context.{index}", (Tensor)parameter)),
            .. actor.Parameters.Select((parameter, index) => ($"actor.{index}", (Tensor)parameter)),
            .. critics.Concat(targets).SelectMany(critic => critic.Parameters).Select((parameter, index) => ($"critic.{index}", (Tensor)parameter)),
        ];
    }

    /// <summary>Every tensor of it.</summary>
    public IReadOnlyList<(string Name, Tensor Tensor)> Named { get; }

    public IReadOnlyList<(string Name, OptimizerHelper Optimizer)> Optimizers =>
        [("context", contextOptimizer), ("actor", actorOptimizer), ("critic", criticOptimizer)];

    /// <summary>What time each round is: the state of the GRU after it, [rounds, context].</summary>
    public Tensor Times()
    {
        using var scope = NewDisposeScope();
        return Extensions.Gru(embeddings.unsqueeze(1), gru).squeeze(1).MoveToOuterDisposeScope();
    }

    /// <summary>The share to remove, drawn from the policy.</summary>
    public double Act(double[] state, Tensor times, int round, Generator generator)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var seen = cat([tensor(state.Select(value => (float)value).ToArray()).unsqueeze(0), times.narrow(0, round, 1)], 1);
        return Drawn(seen, generator).Action.ToDouble();
    }

    /// <summary>One step of the decoder: what the reward of a step was, by state, action and time.</summary>
    /// <returns>The mean squared error.</returns>
    public double LearnTimes(Moments moments)
    {
        using var scope = NewDisposeScope();
        contextOptimizer.zero_grad();
        var seen = cat([moments.States, moments.Actions, Times().index_select(0, moments.Rounds)], 1);
        var loss = nn.functional.mse_loss(decoder.Forward(seen), moments.Rewards);
        loss.backward();
        contextOptimizer.step();
        return loss.ToDouble();
    }

    /// <summary>One step of both critics and of the policy.</summary>
    /// <param name="times">Of <see cref="Times"/>, without gradients.</param>
    public void Learn(Moments moments, Tensor times, Generator generator)
    {
        using var scope = NewDisposeScope();
        var time = times.index_select(0, moments.Rounds);
        var seen = cat([moments.States, time], 1);
        Tensor wanted;
        using (no_grad())
        {
            var next = cat([moments.Nexts, time], 1);
            var (action, density) = Drawn(next, generator);
            wanted = Wanted(moments.Rewards, moments.Ends, Worst(targets, next, action), density);
        }

        criticOptimizer.zero_grad();
        var known = cat([seen, moments.Actions], 1);
        var off = critics.Select(critic => nn.functional.mse_loss(critic.Forward(known), wanted)).ToArray();
        (off[0] + off[1]).backward();
        criticOptimizer.step();

        actorOptimizer.zero_grad();
        var (chosen, likely) = Drawn(seen, generator);
        (likely * Entropy - Worst(critics, seen, chosen)).mean().backward();
        actorOptimizer.step();
        foreach (var (target, critic) in targets.Zip(critics))
            target.Follow(critic, Follow);
    }

    /// <summary>What a critic is to say: <c>r + γ (1 − end) (Q − α ln π)</c>.</summary>
    /// <param name="value">Q of the next state, under the action drawn there.</param>
    /// <param name="density">ln π of that action.</param>
    public static Tensor Wanted(Tensor reward, Tensor end, Tensor value, Tensor density)
    {
        using var scope = NewDisposeScope();
        return (reward + (1 - end) * (value - density * Entropy) * Discount).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var optimizer in Optimizers)
            optimizer.Optimizer.Dispose();
        foreach (var (_, tensor) in Named)
            tensor.Dispose();
    }

    private static Tensor Worst(Perceptron[] critics, Tensor seen, Tensor action)
    {
        using var scope = NewDisposeScope();
        var known = cat([seen, action], 1);
        return critics[0].Forward(known).minimum(critics[1].Forward(known)).MoveToOuterDisposeScope();
    }

    private (Tensor Action, Tensor LogDensity) Drawn(Tensor seen, Generator generator)
    {
        using var scope = NewDisposeScope();
        var said = actor.Forward(seen);
        var mean = said.narrow(1, 0, 1);
        var (action, density) = SquashedGaussian.At(mean, said.narrow(1, 1, 1), empty_like(mean.detach()).normal_(generator: generator));
        return (action.MoveToOuterDisposeScope(), density.MoveToOuterDisposeScope());
    }
}
