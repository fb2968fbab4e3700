using Pipelines.Activities.Allocation;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Evaluation;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>The steps of <see cref="RlalTune"/>: all of them train the weights; before some, a round of the agent's is held.</summary>
internal sealed class RlalTraining : StepWork, IDisposable
{
    private const ulong Stream = 0x726c_616c;
    private const int Batch = 64;
    private const int Capacity = 10_000;

    private readonly PrunedTraining training;
    private readonly RlalTune.Parameters parameters;
    private readonly PruningWalk walk;
    private readonly PruningAgent agent;
    private readonly Experience experience;
    private readonly TrainingLoop loop;
    private readonly ImageBatches calibration;
    private readonly (int From, int To) search;

    // 1 for each unit outside of the best choice yet, on the network's device; the choice's reward, −1 before there is one.
    private readonly Tensor[] outside;
    private readonly Tensor best;
    private double last = double.NaN;

    public RlalTraining(ImageClassifier network, ImageSet images, RlalTune.Parameters parameters)
    {
        this.parameters = parameters;
        search = ((int)Math.Round(parameters.Begin * parameters.Steps), (int)Math.Round(parameters.End * parameters.Steps));
        if (search.To - search.From < parameters.Rounds)
            throw new StageException($"{parameters.Rounds} rounds in {Math.Max(0, search.To - search.From)} steps between begin and end: expected a step for each at least");
        training = new PrunedTraining(
            network, images, new PrunedTrainingOptions(
                parameters.Ratio, ChannelScope.Inner, parameters.Batch, parameters.Smoothing,
                new Augmentation(parameters.Pad, parameters.Flip, 0), parameters.Seed),
            parameters.HeldOut);
        try
        {
            walk = new PruningWalk(
                [.. training.Groups.Sites.Select(site => PruningPlace.Of(network, site))], training.Groups.Size.Of, training.Budget);
        }
        catch
        {
            training.Dispose();
            throw;
        }

        using var generator = Randomness(0, 0, 0);
        agent = new PruningAgent(parameters.Rounds, PruningWalk.StateWidth, generator);
        experience = new Experience(Capacity, PruningWalk.StateWidth);
        outside = [.. training.Groups.Counts.Select(count => zeros(count, device: network.Device).DetachFromDisposeScope())];
        best = full(1, -1.0, ScalarType.Float64).DetachFromDisposeScope();
        calibration = new ImageBatches(
            training.Training, Normalization.Of(network), parameters.Batch, Augmentation.None, parameters.Seed, network.Device);
        loop = training.Loop(
            parameters.Steps, parameters.LearningRate, parameters.WeightDecay, parameters.Warmup,
            () => [("reward", last), ("best reward", best.ToDouble())]) with
        {
            Sgd = new Momentum(parameters.Momentum, Nesterov: false),
            Schedule = parameters.Schedule,
        };
        Kept =
        [
            .. training.Remembered,
            .. agent.Named.Select(one => ($"agent.{one.Name}", one.Tensor)),
            .. experience.Named.Select(one => ($"experience.{one.Name}", one.Tensor)),
            .. outside.Index().Select(one => ($"outside.{one.Index}", one.Item)),
            ("best", best),
        ];
    }

    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept { get; }

    public override IReadOnlyList<(string Name, TorchSharp.Modules.OptimizerHelper Optimizer)> Optimizers => agent.Optimizers;

    /// <summary>The accuracy that the best choice had on held-out images when it was made.</summary>
    public double Reward => best.ToDouble();

    /// <returns>The mean loss of the last steps.</returns>
    public double Run(StageContext stage, CancellationToken cancellation)
    {
        return loop.Run(LossAt, [new TrainedGroup(training.Parameters, loop.RateAt, parameters.WeightDecay)], stage, cancellation, this);

        StepLoss LossAt(int step)
        {
            if (RoundAt(step) is { } round)
                Hold(round, stage, cancellation);
            using var scope = NewDisposeScope();
            var (loss, count) = training.LossAt(step);
            return new StepLoss((best.ToDouble() < 0 ? loss : loss + Alignment() * parameters.Alignment).MoveToOuterDisposeScope(), count);
        }
    }

    /// <summary>Cuts the network down to the best choice, and takes its batch norms' statistics anew.</summary>
    public PrunedResult Cut(string hash, string method, StageContext stage)
    {
        var cut = training.Cut([.. outside.Select(Inside)], hash, method, stage);
        BatchNormRecalibration.Run(training.Network, Calibration());
        return cut;
    }

    public void Dispose()
    {
        training.Dispose();
        agent.Dispose();
        experience.Dispose();
        best.Dispose();
        foreach (var tensor in outside)
            tensor.Dispose();
    }

    /// <summary>Which round is held before a step; null for none. They are spread evenly over the search.</summary>
    private int? RoundAt(int step)
    {
        for (var round = 0; round < parameters.Rounds; round++)
        {
            if (search.From + (int)((long)round * (search.To - search.From) / parameters.Rounds) == step)
                return round;
        }

        return null;
    }

    /// <summary>Episodes, then what is learned of them.</summary>
    private void Hold(int round, StageContext stage, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        Tensor times;
        using (no_grad())
            times = agent.Times();
        for (var episode = 0; episode < parameters.Episodes; episode++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var generator = Randomness(1, round, episode);
            var random = new SplitMix((ulong)parameters.Seed ^ Stream, ((ulong)round << 32) | (uint)episode);
            var explores = round * parameters.Episodes + episode < parameters.RandomEpisodes;
            Play(state => explores ? random.Share() : agent.Act(state, times, round, generator), round, cancellation);
        }

        for (var update = 0; update < parameters.TimeUpdates; update++)
        {
            using var inner = NewDisposeScope();
            agent.LearnTimes(experience.Draw(Batch, new SplitMix((ulong)parameters.Seed ^ Stream, ((ulong)round << 32) | (1u << 30) | (uint)update)));
        }

        using (no_grad())
            times = agent.Times();
        for (var update = 0; update < parameters.Updates; update++)
        {
            using var inner = NewDisposeScope();
            using var generator = Randomness(2, round, update);
            agent.Learn(experience.Draw(Batch, new SplitMix((ulong)parameters.Seed ^ Stream, ((ulong)round << 32) | (1u << 31) | (uint)update)), times, generator);
        }

        stage.Log($"round {round + 1} of {parameters.Rounds}: last reward {last:0.0000}, best {best.ToDouble():0.0000}");
    }

    private void Play(Func<double[], double> act, int round, CancellationToken cancellation)
    {
        var decided = new List<int>();
        var steps = new List<(double[] State, double Action)>();
        while (decided.Count < walk.Count)
        {
            var state = walk.State(decided, steps.Count == 0 ? 0 : steps[^1].Action);
            var (channels, action) = walk.Take(decided, act(state));
            decided.Add(channels);
            steps.Add((state, action));
        }

        var units = Strongest(decided);
        last = Measure(units, cancellation);
        foreach (var (index, (state, action)) in steps.Index())
        {
            var isLast = index == steps.Count - 1;
            experience.Add(state, action, isLast ? last : 0, isLast ? null : steps[index + 1].State, round);
        }

        // As good as the best is better: it was reached by the weights as they are now.
        if (last < best.ToDouble())
            return;
        best.fill_(last);
        foreach (var (site, kept) in units.Index())
            outside[site].fill_(1).index_fill_(0, tensor(kept.Select(unit => (long)unit).ToArray(), device: outside[site].device), 0);
    }

    /// <summary>The channels whose filters have the largest L1 norms.</summary>
    private int[][] Strongest(IReadOnlyList<int> counts)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        return [.. training.Groups.Sites.Zip(counts, (site, count) =>
        {
            var filters = site.Members.First(member => member.Role == UnitRole.Output);
            return KeptIndices.Largest(site.PerUnit(filters, filters.Tensor.Value.to(ScalarType.Float64).abs().flatten(1).sum([1L])), count);
        })];
    }

    /// <summary>The accuracy on held-out images of a copy that is cut, with statistics of its own.</summary>
    private double Measure(int[][] units, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var network = training.Network;
        var tensors = network.NamedParameters().Concat(network.NamedBuffers())
            .Concat(network.Shortcuts().Select(shortcut => ($"{shortcut.Node}.sources", shortcut.Sources)));
        using var copy = new ImageClassifier(network.Config, [.. tensors.Select(one => (one.Item1, one.Item2.detach().clone()))]);
        UnitCut.Keep([.. copy.Sites(ChannelScope.Inner).Zip(units, (site, kept) => ((UnitSite)site, (IReadOnlyList<int>)kept))]);
        BatchNormRecalibration.Run(copy, Calibration());
        return EvaluateAccuracy.Run(copy, training.HeldOut, parameters.Batch, (_, _, _, _) => { }, cancellation).Top1;
    }

    private IEnumerable<Tensor> Calibration()
    {
        for (var step = 0; step < parameters.Calibration; step++)
        {
            var batch = calibration.At(step);
            yield return batch.Inputs;
            batch.Inputs.Dispose();
            batch.Labels.Dispose();
        }
    }

    /// <summary>The sum over places of the norm of all that makes channels outside of the best choice.</summary>
    private Tensor Alignment()
    {
        using var scope = NewDisposeScope();
        var norms = outside.Select((units, site) => ((training.Groups.Vectors(site) * units.unsqueeze(1)).square().sum() + 1e-12).sqrt());
        return stack([.. norms]).sum().MoveToOuterDisposeScope();
    }

    private static int[] Inside(Tensor outside) =>
        [.. outside.cpu().data<float>().ToArray().Index().Where(unit => unit.Item == 0).Select(unit => unit.Index)];

    private Generator Randomness(int use, int round, int index) =>
        new(new SplitMix((ulong)parameters.Seed ^ Stream ^ ((ulong)(use + 1) << 48), ((ulong)round << 32) | (uint)index).Next(), CPU);
}
