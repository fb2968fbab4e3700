using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Activities.Tuning;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>The steps of <see cref="IspPrune"/>: gates learn, the network and its explainer stay as they are.</summary>
internal sealed class IspTraining : StepWork, IDisposable
{
    private readonly ImageClassifier network;
    private readonly ExplainedNetwork explained;
    private readonly IspPrune.Parameters parameters;
    private readonly ChannelGroups groups;
    private readonly ChannelChoice choice;
    private readonly EpochOrder order;
    private double away;
    private double share = 1;

    /// <summary>Looks at the network as it is given.</summary>
    /// <exception cref="StageException">Images and network do not go together, there is nothing to prune, or the ratio cannot be reached.</exception>
    public IspTraining(
        ImageClassifier network, ExplainedNetwork explained, ImageSet images, IspPrune.Parameters parameters, CancellationToken cancellation)
    {
        (this.network, this.explained, this.parameters) = (network, explained, parameters);
        network.CheckFits(images.Info);
        groups = new ChannelGroups(network, parameters.Scope);
        try
        {
            choice = new ChannelChoice(groups, parameters.Ratio, parameters.Seed, network.Device, source: parameters.Gates);
        }
        catch
        {
            groups.Dispose();
            throw;
        }

        var drawn = new EpochOrder(checked((int)images.Count), parameters.Seed);
        Images = images.Choose(
            [.. Enumerable.Range(0, (int)Math.Min(parameters.Images, images.Count)).Select(at => (long)drawn.At(at))], "images that gates are learned on");
        order = new EpochOrder((int)Images.Count, parameters.Seed);
        Dense = explained.All(network, Images, parameters.Batch, cancellation).DetachFromDisposeScope();
        Kept = [.. choice.Remembered];
    }

    /// <summary>What the gates are learned on.</summary>
    public ImageSet Images { get; }

    /// <summary>Where the dense network looks in each of them: [images, 3].</summary>
    public Tensor Dense { get; }

    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept { get; }

    /// <returns>The mean loss of the last steps.</returns>
    public double Run(StageContext stage, CancellationToken cancellation)
    {
        var loop = new TrainingLoop(parameters.Steps, parameters.LearningRate, parameters.WeightDecay)
        {
            Schedule = RateSchedule.Constant,
            Beta2 = 0.999,
            Clip = double.PositiveInfinity,
            Unit = "images",
            Figures = () => [("explanation", away), ("kept", share)],
        };
        return loop.Run(LossAt, [new TrainedGroup(choice.Trained, loop.RateAt, parameters.WeightDecay)], stage, cancellation, this);
    }

    /// <summary>Cuts what the settled choice closed.</summary>
    public PrunedResult Cut(string hash, string method, StageContext stage) => groups.Cut(choice.Settled(), hash, method, stage);

    /// <summary>Soft gates on the network as it is used; how far its explanations are off, and its size.</summary>
    public StepLoss LossAt(int step)
    {
        using var scope = NewDisposeScope();
        using var noise = GateNoise.At(parameters.Seed, step);
        var rows = tensor(order.Rows(step, parameters.Batch));
        var batch = ImageBatch.Of(network, Images, rows);
        var gates = choice.Gates(noise);
        var (logits, found) = explained.Explain(network, batch.Inputs, batch.Labels, groups.Hook(gates));
        var distance = nn.functional.mse_loss(found, Dense.index_select(0, rows.to(Dense.device)));
        var size = groups.Size.Of(gates);
        (away, share) = (distance.ToDouble(), choice.Share(size));
        var loss = distance * parameters.Explanation + BudgetLoss.Above(size, groups.Size.Prunable, choice.Wanted, parameters.Budget);
        if (parameters.Labels > 0)
            loss = loss + ClassificationLoss.Of(logits, batch, 0) * parameters.Labels;
        return new StepLoss(loss.MoveToOuterDisposeScope(), batch.Count);
    }

    public void Dispose()
    {
        Images.Dispose();
        Dense.Dispose();
        choice.Dispose();
        groups.Dispose();
    }
}
