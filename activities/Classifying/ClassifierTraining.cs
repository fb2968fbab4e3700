using System.ComponentModel;
using Pipelines.Activities.Allocation;
using Pipelines.Activities.Data;
using Pipelines.Activities.Finetuning;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Classifying;

/// <summary>How a classifier is trained.</summary>
/// <param name="Warmup">Share of the steps in which the rate rises.</param>
/// <param name="Smoothing">Share of the target that is spread over all classes.</param>
internal sealed record ClassifierTraining(
    double Epochs, int Batch, OptimizerKind Optimizer, double LearningRate, double Momentum, bool Nesterov, double WeightDecay,
    RateSchedule Schedule, double Warmup, double Smoothing, Augmentation Augmentation, long Seed)
{
    /// <summary>What is minimized, of the loss of a batch and the step from 0; null for that loss.</summary>
    public Func<Tensor, int, Tensor>? Objective { get; init; }

    /// <summary>Told of every step; null for nobody.</summary>
    public TrainingClock? Clock { get; init; }

    /// <summary>Trains all of its parameters in place; zeroed weights of convolutions and linears stay zero.</summary>
    /// <param name="teacher">What it is also to answer like; null for nothing.</param>
    /// <returns>The mean loss of the last steps.</returns>
    /// <exception cref="StageException">Images and network do not go together.</exception>
    public double Run(ImageClassifier network, ImageSet images, Teacher? teacher, StageContext stage, CancellationToken cancellation)
    {
        network.CheckFits(images.Info);
        if (Nesterov && Momentum == 0)
            throw new StageException("nesterov needs a momentum");
        var steps = checked((int)Math.Max(1, Math.Round(Epochs * images.Count / Batch)));
        var batches = new ImageBatches(images, Normalization.Of(network), Batch, Augmentation, Seed, network.Device);
        Tensor[] trained = [.. network.NamedParameters().Select(parameter => parameter.Tensor.requires_grad_())];
        using var work = new ClassifierWork(network, Clock);
        var right = 0.0;
        var loop = new TrainingLoop(steps, LearningRate, WeightDecay)
        {
            Schedule = Schedule,
            Warmup = (int)Math.Round(Warmup * steps),
            Floor = 0,
            Sgd = Optimizer == OptimizerKind.Sgd ? new Momentum(Momentum, Nesterov) : null,
            Beta2 = 0.999,
            Clip = double.PositiveInfinity,
            Unit = "images",
            Figures = () => [("accuracy", right)],
        };
        stage.Log($"{steps} steps of {Batch} images; the network has {network.ParameterCount():N0} parameters");
        network.Training = true;
        Clock?.Start();
        try
        {
            return loop.Run(LossAt, [new TrainedGroup(trained, loop.RateAt, WeightDecay)], stage, cancellation, work);
        }
        finally
        {
            (network.Training, network.Random) = (false, null);
            foreach (var tensor in trained)
                tensor.requires_grad_(false);
        }

        StepLoss LossAt(int step)
        {
            using var scope = NewDisposeScope();
            // A generator for each step: what dropout drops follows from seed and step, as all else.
            using var generator = new Generator(new SplitMix((ulong)Seed, (ulong)step).Next(), network.Device);
            network.Random = generator;
            var batch = batches.At(step);
            var logits = network.Forward(batch.Inputs);
            var loss = ClassificationLoss.Of(logits, batch, Smoothing);
            if (teacher is not null)
                loss = teacher.Mix(loss, logits, batch.Inputs);
            using (no_grad())
                right = logits.argmax(1).eq(batch.Labels).to(ScalarType.Float32).mean().ToDouble();
            return new StepLoss((Objective?.Invoke(loss, step) ?? loss).MoveToOuterDisposeScope(), batch.Count);
        }
    }
}

/// <summary>What changes parameters along their gradients.</summary>
public enum OptimizerKind
{
    [Description("Stochastic gradient descent with momentum")]
    Sgd,

    [Description("AdamW")]
    Adamw,
}

/// <summary>A trained network, whose distribution another one is to come near.</summary>
/// <param name="Weight">Of its answers; the labels have the rest of 1.</param>
internal sealed record Teacher(ImageClassifier Network, double Weight, double Temperature)
{
    /// <param name="loss">That of the labels.</param>
    public Tensor Mix(Tensor loss, Tensor logits, Tensor inputs)
    {
        Tensor taught;
        using (no_grad())
            taught = Network.Forward(inputs);
        return loss * (1 - Weight) + DistillationLoss.Logits(logits, taught, Temperature) * Weight;
    }
}

/// <summary>What training remembers of a classifier beside its parameters: running statistics, and which weights stay zero.</summary>
internal sealed class ClassifierWork : StepWork, IDisposable
{
    private readonly ZeroMasks masks = new();

    private readonly TrainingClock? clock;

    public ClassifierWork(ImageClassifier network, TrainingClock? clock)
    {
        this.clock = clock;
        Kept = [.. network.NamedBuffers(), .. clock is null ? [] : new[] { ("seconds", clock.Kept) }];
        foreach (var (_, tensor) in network.NamedParameters().Where(parameter => parameter.Tensor.ndim > 1))
            masks.Add(tensor);
    }

    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept { get; }

    public override void BeforeUpdate(int index) => masks.BeforeUpdate(index);

    public override void AfterUpdate(int index, OptimizerHelper optimizer) => clock?.Tick();

    public void Dispose() => masks.Dispose();
}
