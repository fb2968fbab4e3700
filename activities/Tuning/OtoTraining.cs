using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>The steps of <see cref="OtoTune"/>.</summary>
internal sealed class OtoTraining : StepWork, IDisposable
{
    private readonly PrunedTraining training;
    private readonly OtoTune.Parameters parameters;
    private readonly HalfSpace halfSpace;
    private readonly TrainingLoop loop;
    private readonly int start;
    private readonly int closed;

    // Of each unit, its place among the redundant ones; −1 for the others, and for all before they are told apart.
    private readonly Tensor[] places;
    private readonly Tensor?[] before;
    private double share = 1;

    public OtoTraining(ImageClassifier network, ImageSet images, OtoTune.Parameters parameters)
    {
        this.parameters = parameters;
        (start, closed) = ((int)Math.Round(parameters.Start * parameters.Steps), (int)Math.Round(parameters.Closed * parameters.Steps));
        if (closed < start + 2)
            throw new StageException($"the redundant channels are chosen at step {start + 1} and must be gone by step {closed}: expected some steps in between");
        var adam = parameters.Optimizer == OptimizerKind.Adamw;
        halfSpace = new HalfSpace(
            parameters.Pull ?? (adam ? 1e-2 : 1e-3), parameters.Amplification ?? (adam ? 20 : 2), parameters.Most ?? (adam ? 1e3 : 10), parameters.Epsilon);
        training = new PrunedTraining(network, images, new PrunedTrainingOptions(
            parameters.Ratio, parameters.Scope, parameters.Batch, parameters.Smoothing,
            new Augmentation(parameters.Pad, parameters.Flip, parameters.Mixup), parameters.Seed));
        loop = training.Loop(parameters.Steps, parameters.LearningRate, parameters.WeightDecay, parameters.Warmup, () => [("kept", share)]) with
        {
            Sgd = adam ? null : new Momentum(parameters.Momentum, Nesterov: false),
        };
        places = [.. training.Groups.Counts.Select(count => full(count, -1L, ScalarType.Int64).DetachFromDisposeScope())];
        before = new Tensor?[places.Length];
        Kept = [.. training.Remembered, .. places.Index().Select(one => ($"redundant.{one.Index}", one.Item))];
    }

    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept { get; }

    /// <returns>The mean loss of the last steps.</returns>
    public double Run(StageContext stage, CancellationToken cancellation) => loop.Run(
        training.LossAt, [new TrainedGroup(training.Parameters, loop.RateAt, parameters.WeightDecay)], stage, cancellation, this);

    public override void BeforeUpdate(int index)
    {
        for (var site = 0; index >= start && site < before.Length; site++)
        {
            using var ungraded = no_grad();
            before[site]?.Dispose();
            before[site] = training.Groups.Vectors(site).DetachFromDisposeScope();
        }
    }

    public override void AfterUpdate(int index, OptimizerHelper optimizer)
    {
        if (index < start)
            return;
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        if (index == start)
            Partition(loop.RateAt(index));
        else
            Pull(index, loop.RateAt(index));
    }

    /// <summary>Cuts what is 0.</summary>
    public PrunedResult Cut(string hash, string method, StageContext stage)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var zero = places.Select((_, site) => Zeros(training.Groups.Vectors(site), site));
        return training.Cut(
            [.. zero.Select(units => units.Index().Where(unit => !unit.Item).Select(unit => unit.Index).ToArray())], hash, method, stage);
    }

    public void Dispose()
    {
        training.Dispose();
        foreach (var tensor in places.Concat(before))
            tensor?.Dispose();
    }

    /// <summary>Tells the redundant channels from the others, once.</summary>
    private void Partition(double rate)
    {
        var (cosines, means) = (new List<double>(), new List<double>());
        foreach (var (site, x) in before.Index())
        {
            var groups = x!.to(ScalarType.Float64);
            var directions = (groups - training.Groups.Vectors(site).to(ScalarType.Float64)) / rate;
            cosines.AddRange(nn.functional.cosine_similarity(groups, directions).cpu().data<double>());
            means.AddRange((groups.norm(1) / groups.shape[1]).cpu().data<double>());
        }

        var scores = OtoScores.Of(cosines, means);
        if (!scores.All(double.IsFinite))
            throw new StageException("a score is no number: the weights or their gradients are none; try a lower learning rate");
        var first = 0;
        var bySite = places.Select(place => scores[first..(first += (int)place.numel())]).ToArray();
        var redundant = OtoScores.Redundant(bySite, training.Groups.Size.Of, training.Budget, parameters.Margin);
        foreach (var (place, (site, unit)) in redundant.Index())
            places[site][unit] = (long)place;
    }

    private void Pull(int index, double rate)
    {
        var order = Order();
        var zero = order.Select(one => one.Site).Distinct().ToDictionary(site => site, site => Zeros(before[site]!, site));
        var stepped = zero.Keys.ToDictionary(site => site, site => halfSpace.Step(before[site]!, training.Groups.Vectors(site), rate));
        var gone = stepped.ToDictionary(one => one.Key, one => one.Value.Gone.cpu().data<bool>().ToArray());
        var last = index >= closed - 1;
        var choice = OtoChoice.Of(
            order, one => zero[one.Site][one.Unit], one => last || gone[one.Site][one.Unit],
            [.. training.Groups.Counts.Select(count => (int)count)], training.Groups.Size.Of, training.Budget);
        var shrink = GroupAlgebra.Shrink(index, (start + closed) / 2, closed);
        Write(stepped, choice.Needed.Select(one => (one.Site, one.Unit, shrink)).Concat(choice.Spare.Select(one => (one.Site, one.Unit, 1.0))));
        foreach (var units in choice.Zero.GroupBy(one => one.Site, one => one.Unit))
            training.Groups.Close(units.Key, [.. units]);
        share = training.Groups.Size.Of(choice.Left) / training.Groups.Size.Whole;
    }

    /// <summary>Puts pulled channels where they were moved to, shorter by a factor.</summary>
    private void Write(Dictionary<int, (Tensor Moved, Tensor Gone)> stepped, IEnumerable<(int Site, int Unit, double Factor)> pulled)
    {
        foreach (var units in pulled.GroupBy(one => one.Site))
        {
            var groups = training.Groups.Vectors(units.Key);
            foreach (var (site, unit, factor) in units)
                groups[unit] = stepped[site].Moved[unit] * factor;
            training.Groups.Put(units.Key, groups);
        }
    }

    private (int Site, int Unit)[] Order() =>
    [
        .. places.SelectMany((place, site) => place.data<long>().ToArray().Select((rank, unit) => (rank, site, unit)))
            .Where(one => one.rank >= 0).OrderBy(one => one.rank).Select(one => (one.site, one.unit)),
    ];

    // Of the redundant ones only: a channel that came in as 0 and was not found redundant is not this stage's.
    private bool[] Zeros(Tensor groups, int site)
    {
        using var scope = NewDisposeScope();
        return groups.eq(0).all(1).cpu().logical_and(places[site].ge(0)).data<bool>().ToArray();
    }
}
