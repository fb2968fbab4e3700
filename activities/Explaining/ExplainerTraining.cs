using Pipelines.Activities.Allocation;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Finetuning;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>
/// The steps of <see cref="TrainExplainer"/>: at first those of the predictor, which learns to answer like the model when it
/// sees a part of the image, then those of the selector, which learns which part that has to be.
/// </summary>
internal sealed class ExplainerTraining : StepWork, IDisposable
{
    private const double SelectorTemperature = 1;

    private readonly ImageClassifier network;
    private readonly ImageClassifier predictor;
    private readonly TrainExplainer.Parameters parameters;
    private readonly ImageSet images;
    private readonly ImageBatches batches;
    private readonly TrainingLoop predicting;
    private readonly TrainingLoop selecting;
    private readonly Tensor[] answering;
    private double divergence;
    private double area = 1;

    /// <param name="network">The model; it stays as it is.</param>
    /// <param name="predictor">Of the same form: what is trained to see parts.</param>
    /// <exception cref="StageException">Images and network do not go together, or the network has too few feature maps.</exception>
    public ExplainerTraining(ImageClassifier network, ImageClassifier predictor, ImageSet images, TrainExplainer.Parameters parameters)
    {
        (this.network, this.predictor, this.images, this.parameters) = (network, predictor, images, parameters);
        network.CheckFits(images.Info);
        if (parameters.Narrowest > parameters.Widest)
            throw new StageException($"narrowest {parameters.Narrowest} is above widest {parameters.Widest}");
        var maps = new FeatureMaps(network.Graph);
        using var generator = GateNoise.At(parameters.Seed, -1);
        Explained = new ExplainedNetwork(Selector.Create(network, maps, generator), maps);
        batches = new ImageBatches(
            images, Normalization.Of(network), parameters.Batch, new Augmentation(parameters.Pad, parameters.Flip, 0), parameters.Seed, network.Device);
        predicting = Steps(parameters.PredictorSteps, parameters.PredictorRate);
        selecting = Steps(parameters.SelectorSteps, parameters.SelectorRate);
        answering = [.. predictor.NamedParameters().Select(one => one.Tensor)];
        Kept = [.. predictor.NamedBuffers().Select(one => ($"predictor.{one.Name}", one.Tensor)), .. Explained.Selector.Buffers];

        TrainingLoop Steps(int steps, double rate) => new(steps, rate, parameters.WeightDecay) { Floor = 0 };
    }

    public ExplainedNetwork Explained { get; }

    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept { get; }

    /// <returns>The mean loss of the selector's last steps.</returns>
    public double Run(StageContext stage, CancellationToken cancellation)
    {
        var first = parameters.PredictorSteps;
        var loop = new TrainingLoop(first + parameters.SelectorSteps, parameters.SelectorRate, parameters.WeightDecay)
        {
            Beta2 = 0.999,
            Clip = double.PositiveInfinity,
            Unit = "images",
            Figures = () => [("divergence", divergence), ("area", area)],
        };
        stage.Log($"{first} steps of the predictor, {parameters.SelectorSteps} of the selector, which reads {string.Join(", ", Explained.Maps.Nodes.Select(node => node.Name))}");
        try
        {
            return loop.Run(
                step => step < first ? PredictorLoss(step) : SelectorLoss(step),
                [
                    new TrainedGroup(answering, step => step < first ? predicting.RateAt(step) : 0, parameters.WeightDecay),
                    new TrainedGroup(Explained.Selector.Parameters, step => step < first ? 0 : selecting.RateAt(step - first), parameters.WeightDecay),
                ],
                stage, cancellation, this);
        }
        finally
        {
            Phase(predicts: false);
            foreach (var tensor in Explained.Selector.Parameters)
                tensor.requires_grad_(false);
        }
    }

    /// <summary>The mean of the masks of the first images.</summary>
    public double Shown(int count, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var first = images.Choose([.. Enumerable.Range(0, (int)Math.Min(count, images.Count)).Select(row => (long)row)], "the first images");
        var places = RadialMask.Places(Explained.All(network, first, parameters.Batch, cancellation));
        return RadialMask.Of(places, network.Config.ImageSize).mean().ToDouble();
    }

    public void Dispose() => Explained.Dispose();

    /// <summary>KL(f(x) ‖ q(x · m)) of random masks.</summary>
    private StepLoss PredictorLoss(int step)
    {
        using var scope = NewDisposeScope();
        using var noise = GateNoise.At(parameters.Seed, step);
        Phase(predicts: true);
        var batch = batches.At(step);
        var places = RadialMask.Random(batch.Count, parameters.Narrowest, parameters.Widest, noise, network.Device);
        var masks = Drawn(RadialMask.Of(places, network.Config.ImageSize), noise, parameters.Sharpness);
        using var dropped = new Generator(new SplitMix((ulong)parameters.Seed, (ulong)step).Next(), network.Device);
        predictor.Random = dropped;
        var loss = Divergence(predictor.Forward(batch.Inputs * masks), Answers(batch.Inputs));
        (divergence, area) = (loss.ToDouble(), masks.mean().ToDouble());
        return new StepLoss(loss.MoveToOuterDisposeScope(), batch.Count);
    }

    /// <summary>KL(f(x) ‖ q(x · s)) of the selector's masks, and what they cost.</summary>
    private StepLoss SelectorLoss(int step)
    {
        using var scope = NewDisposeScope();
        using var noise = GateNoise.At(parameters.Seed, step);
        Phase(predicts: false);
        Explained.Selector.Training = true;
        try
        {
            var batch = batches.At(step);
            var (answers, chosen) = Explained.Explain(network, batch.Inputs, batch.Labels);
            var masks = Drawn(RadialMask.Of(RadialMask.Places(chosen), network.Config.ImageSize), noise, SelectorTemperature);
            var loss = Divergence(predictor.Forward(batch.Inputs * masks), answers.detach());
            (divergence, area) = (loss.ToDouble(), masks.mean().ToDouble());
            loss = loss + MaskSample.Area(masks, parameters.AreaPower) * parameters.Area + MaskSample.Unevenness(masks) * parameters.Unevenness;
            return new StepLoss(loss.MoveToOuterDisposeScope(), batch.Count);
        }
        finally
        {
            Explained.Selector.Training = false;
        }
    }

    /// <summary>Only in its own phase the predictor learns; afterwards gradients but go through it.</summary>
    private void Phase(bool predicts)
    {
        (predictor.Training, predictor.Random) = (predicts, null);
        foreach (var tensor in answering)
            tensor.requires_grad_(predicts);
    }

    private Tensor Answers(Tensor inputs)
    {
        using var ungraded = no_grad();
        return network.Forward(inputs);
    }

    private static Tensor Divergence(Tensor predicted, Tensor answers) => DistillationLoss.Logits(predicted, answers, 1);

    private static Tensor Drawn(Tensor masks, Generator noise, double temperature)
    {
        using var uniform = GateNoise.Uniform(masks, noise);
        return MaskSample.Relaxed(masks, uniform, temperature);
    }
}
