using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>The steps of <see cref="AtoTune"/>: those that train the weights, and those in between that train the choice.</summary>
internal sealed class AtoTraining : StepWork, IDisposable
{
    // Of the choice's loss: the published code adds the budget's loss, weighed by 4, twice.
    private const double BudgetWeight = 2 * 4;
    private const double Band = 0.005;
    private const double ChoiceDecay = 0.01;

    private readonly PrunedTraining training;
    private readonly AtoTune.Parameters parameters;
    private readonly AtoPhases phases;
    private readonly ChannelChoice choice;
    private readonly ImageBatches chosenBy;
    private readonly TrainingLoop loop;
    private int[][]? open;
    private double share = 1;

    public AtoTraining(ImageClassifier network, ImageSet images, AtoTune.Parameters parameters)
    {
        this.parameters = parameters;
        phases = AtoPhases.Of(parameters.Steps, parameters.Choose, parameters.Shorten, parameters.Settle, parameters.Closed, parameters.Every);
        training = new PrunedTraining(
            network, images, new PrunedTrainingOptions(
                parameters.Ratio, parameters.Scope, parameters.Batch, parameters.Smoothing,
                new Augmentation(parameters.Pad, parameters.Flip, parameters.Mixup), parameters.Seed),
            parameters.HeldOut);
        try
        {
            choice = new ChannelChoice(training.Groups, parameters.Ratio, parameters.Seed, network.Device, Band);
        }
        catch
        {
            training.Dispose();
            throw;
        }

        chosenBy = new ImageBatches(
            training.HeldOut, Normalization.Of(network), parameters.Batch, Augmentation.None, parameters.Seed, network.Device);
        loop = training.Loop(parameters.Steps, parameters.LearningRate, parameters.WeightDecay, parameters.Warmup, () => [("kept", share)]);
        Kept = [.. training.Remembered, .. choice.Remembered];
    }

    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept { get; }

    /// <returns>The mean loss of the last steps.</returns>
    public double Run(StageContext stage, CancellationToken cancellation) => loop.Run(
        step => phases.Chooses(step) ? Choice(step) : training.LossAt(step - phases.ChoicesBefore(step)),
        [
            new TrainedGroup(training.Parameters, step => phases.Chooses(step) ? 0 : loop.RateAt(step), parameters.WeightDecay),
            new TrainedGroup(choice.Trained, step => phases.Chooses(step) ? phases.ChoiceRate(step, parameters.ChoiceRate) : 0, ChoiceDecay),
        ],
        stage, cancellation, this);

    /// <summary>Shortens the groups that are closed at this step.</summary>
    public override void AfterUpdate(int index, OptimizerHelper optimizer)
    {
        if (phases.Chooses(index) || index == phases.Settle)
            open = null;
        if (phases.Chooses(index) || index < phases.Shorten)
            return;
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var closed = Closed(index);
        var all = closed.Sum(units => units.Length);
        var strength = index < phases.Settle ? parameters.Pull : parameters.Push;
        foreach (var (site, units) in closed.Index().Where(one => one.Item.Length > 0))
        {
            if (index >= phases.Closed - 1)
                training.Groups.Close(site, units);
            else
                Shorten(site, units, strength * units.Length / all * loop.RateAt(index), index < phases.Settle ? 1 : phases.Shrink(index));
        }
    }

    /// <summary>Cuts what the settled choice closed.</summary>
    public PrunedResult Cut(string hash, string method, StageContext stage)
    {
        using var scope = NewDisposeScope();
        return training.Cut(Open(parameters.Steps), hash, method, stage);
    }

    /// <summary>The units that stay, by the choice as it is at a step: likelier open than closed, and once settled to the budget.</summary>
    public int[][] Open(int step)
    {
        if (open is not null)
            return open;
        open = step < phases.Settle ? choice.Likelier() : choice.Settled();
        share = training.Groups.Size.Of([.. open.Select(units => units.Length)]) / training.Groups.Size.Whole;
        return open;
    }

    public void Dispose()
    {
        training.Dispose();
        choice.Dispose();
    }

    private int[][] Closed(int step) => [.. Open(step).Select((units, site) => training.Groups.Others(site, units))];

    private void Shorten(int site, int[] units, double by, double factor)
    {
        var groups = training.Groups.Vectors(site);
        var closed = zeros(groups.shape[0], ScalarType.Bool, groups.device)
            .index_fill_(0, tensor(units.Select(unit => (long)unit).ToArray(), device: groups.device), 1);
        var shorter = GroupAlgebra.Shortened(groups, closed, by);
        training.Groups.Put(site, where(closed.unsqueeze(1), shorter * factor, shorter));
    }

    /// <summary>Soft gates on held-out images; the network is as it would be used, and learns nothing.</summary>
    private StepLoss Choice(int step)
    {
        using var scope = NewDisposeScope();
        training.Record(false);
        try
        {
            using var noise = GateNoise.At(parameters.Seed, step);
            var batch = chosenBy.At(phases.ChoicesBefore(step));
            var gates = choice.Gates(noise);
            var size = training.Groups.Size.Of(gates);
            share = choice.Share(size);
            var loss = ClassificationLoss.Of(training.Network.Forward(batch.Inputs, training.Groups.Hook(gates)), batch, 0);
            var off = BudgetLoss.Banded(size, training.Groups.Size.Prunable, choice.Wanted, BudgetWeight, Band);
            return new StepLoss((loss + off).MoveToOuterDisposeScope(), batch.Count);
        }
        finally
        {
            training.Record(true);
        }
    }
}
