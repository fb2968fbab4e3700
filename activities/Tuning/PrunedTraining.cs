using Pipelines.Activities.Allocation;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// What methods that train a classifier and prune it at once have in common: its channels as groups, a budget, images to train
/// on and others to choose by, a loss that can be gone on with from any step, and the cut in the end.
/// </summary>
internal sealed class PrunedTraining : IDisposable
{
    private readonly ImageSet images;
    private readonly ImageSet? chosenBy;
    private readonly ImageSet? rest;
    private readonly ImageBatches batches;
    private readonly double smoothing;
    private readonly long seed;

    /// <param name="heldOut">The share of each class that is kept for choosing, and not trained on; 0 for none.</param>
    /// <exception cref="StageException">Images and network do not go together, nothing could be held out, or the ratio cannot be reached.</exception>
    public PrunedTraining(ImageClassifier network, ImageSet images, PrunedTrainingOptions options, double heldOut = 0)
    {
        network.CheckFits(images.Info);
        (Network, this.images, smoothing, seed) = (network, images, options.Smoothing, options.Seed);
        Groups = new ChannelGroups(network, options.Scope);
        try
        {
            Budget = Groups.Size.Budget(options.Ratio);
            if (heldOut > 0)
                (chosenBy, rest) = SplitImages.Split(images, heldOut, null, options.Seed);
        }
        catch
        {
            Groups.Dispose();
            throw;
        }

        batches = new ImageBatches(Training, Normalization.Of(network), options.Batch, options.Augmentation, options.Seed, network.Device);
        Parameters = [.. network.NamedParameters().Select(parameter => parameter.Tensor.requires_grad_())];
        Remembered =
        [
            .. network.NamedBuffers(),
            .. network.Shortcuts().Select(shortcut => ($"{shortcut.Node}.sources", shortcut.Sources)),
        ];
    }

    public ImageClassifier Network { get; }

    public ChannelGroups Groups { get; }

    /// <summary>Multiply-adds that may be left of the whole network.</summary>
    public double Budget { get; }

    /// <summary>Of the network, in a fixed order; they record gradients until this is disposed.</summary>
    public Tensor[] Parameters { get; }

    /// <summary>What training changes beside parameters: running statistics, and which channels shortcuts pass on.</summary>
    public IReadOnlyList<(string Name, Tensor Tensor)> Remembered { get; }

    /// <summary>What is trained on.</summary>
    public ImageSet Training => rest ?? images;

    /// <summary>What is held out.</summary>
    public ImageSet HeldOut => chosenBy ?? throw new InvalidOperationException("no images were held out");

    /// <summary>Share of the last batch that was recognised.</summary>
    public double Right { get; private set; }

    /// <summary>Steps as classifiers take them: no clipping, down to 0 along a cosine, unless it is said otherwise.</summary>
    public TrainingLoop Loop(int steps, double rate, double weightDecay, double warmup, Func<IReadOnlyList<(string Name, double Value)>> figures) =>
        new(steps, rate, weightDecay)
        {
            Warmup = (int)Math.Round(warmup * steps),
            Floor = 0,
            Beta2 = 0.999,
            Clip = double.PositiveInfinity,
            Unit = "images",
            Figures = () => [("accuracy", Right), .. figures()],
        };

    /// <summary>The loss of a batch of training images.</summary>
    /// <param name="at">Of the batch, which is not the step where not all steps train weights.</param>
    public StepLoss LossAt(int at)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(new SplitMix((ulong)seed, (ulong)at).Next(), Network.Device);
        (Network.Training, Network.Random) = (true, generator);
        try
        {
            var batch = batches.At(at);
            var logits = Network.Forward(batch.Inputs);
            var loss = ClassificationLoss.Of(logits, batch, smoothing);
            using (no_grad())
                Right = logits.argmax(1).eq(batch.Labels).to(ScalarType.Float32).mean().ToDouble();
            return new StepLoss(loss.MoveToOuterDisposeScope(), batch.Count);
        }
        finally
        {
            (Network.Training, Network.Random) = (false, null);
        }
    }

    /// <summary>Freezes or thaws the parameters.</summary>
    public void Record(bool gradients)
    {
        // Not those that training began with: a cut puts others in their places.
        foreach (var (_, tensor) in Network.NamedParameters())
            tensor.requires_grad_(gradients);
    }

    /// <summary>Cuts the network down to what stays.</summary>
    public PrunedResult Cut(IReadOnlyList<IReadOnlyList<int>> kept, string hash, string method, StageContext stage)
    {
        Record(false);
        return Groups.Cut(kept, hash, method, stage);
    }

    public void Dispose()
    {
        Record(false);
        Groups.Dispose();
        chosenBy?.Dispose();
        rest?.Dispose();
    }
}

/// <param name="Ratio">Share of the multiply-adds to remove.</param>
internal sealed record PrunedTrainingOptions(
    double Ratio, ChannelScope Scope, int Batch, double Smoothing, Augmentation Augmentation, long Seed);
