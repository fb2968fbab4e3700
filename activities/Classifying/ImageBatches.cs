using Pipelines.Activities.Allocation;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Classifying;

/// <summary>Images as a network reads them, and what they are.</summary>
/// <param name="Inputs">[B, channels, height, width], float32, normalised.</param>
/// <param name="Labels">[B], int64.</param>
/// <param name="Others">Of the images that were mixed in; null for none.</param>
/// <param name="Share">Of the first image in each mixture.</param>
public sealed record ImageBatch(Tensor Inputs, Tensor Labels, Tensor? Others, double Share)
{
    public long Count => Labels.shape[0];

    /// <summary>Images as they are, in their order: neither moved, flipped nor mixed.</summary>
    /// <param name="count">At most; fewer where they end.</param>
    public static ImageBatch Of(ImageClassifier network, ImageSet images, long start, long count)
    {
        count = Math.Min(count, images.Count - start);
        return Of(network, images.Pixels.narrow(0, start, count), images.Labels.narrow(0, start, count));
    }

    /// <summary>Likewise, those of some rows.</summary>
    /// <param name="rows">[B], int64.</param>
    public static ImageBatch Of(ImageClassifier network, ImageSet images, Tensor rows) =>
        Of(network, images.Pixels.index_select(0, rows), images.Labels.index_select(0, rows));

    /// <summary>Each image once, in an order of the seed's; the last batch may be smaller. A batch is gone when the next is asked for.</summary>
    /// <param name="count">Images, at most.</param>
    public static IEnumerable<ImageBatch> Each(
        ImageClassifier network, ImageSet images, long count, int batch, long seed, CancellationToken cancellation)
    {
        var order = new EpochOrder(checked((int)images.Count), seed);
        count = Math.Min(count, images.Count);
        for (var at = 0L; at < count; at += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var rows = tensor(Enumerable.Range(0, (int)Math.Min(batch, count - at)).Select(offset => (long)order.At(at + offset)).ToArray());
            yield return Of(network, images, rows);
        }
    }

    private static ImageBatch Of(ImageClassifier network, Tensor pixels, Tensor labels) =>
        new(Normalization.Of(network).Of(pixels, network.Device), labels.to(network.Device), null, 1);
}

/// <summary>
/// Batches of images for a training loop. Which images a step gets and how they are changed follows from the seed and the
/// step alone, so a loop can go on from any step.
/// </summary>
/// <param name="images">On the CPU; a batch goes to the device.</param>
public sealed class ImageBatches(ImageSet images, Normalization normalization, int size, Augmentation augmentation, long seed, Device device)
{
    // Apart from other uses of the seed.
    private const ulong Stream = 0x696d_6167_6573;

    private readonly EpochOrder order = new(checked((int)images.Count), seed);

    public ImageBatch At(long step)
    {
        using var scope = NewDisposeScope();
        var random = new SplitMix((ulong)seed ^ Stream, (ulong)step);
        var index = tensor(order.Rows(step, size));
        var moved = augmentation.Move(images.Pixels.index_select(0, index), random);
        var inputs = normalization.Of(moved, device);
        var labels = images.Labels.index_select(0, index).to(device);
        var share = augmentation.Share(random);
        Tensor? others = null;
        if (share < 1)
        {
            var partners = tensor(Permutation(random), device: device);
            inputs = inputs * share + inputs.index_select(0, partners) * (1 - share);
            others = labels.index_select(0, partners).MoveToOuterDisposeScope();
        }

        return new ImageBatch(inputs.MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope(), others, share);
    }

    private long[] Permutation(SplitMix random)
    {
        long[] rows = [.. Enumerable.Range(0, size)];
        for (var i = 0; i < size - 1; i++)
        {
            var at = i + random.Below(size - i);
            (rows[i], rows[at]) = (rows[at], rows[i]);
        }

        return rows;
    }
}

/// <summary>From pixels to what a network reads: (pixel / 255 − mean) / deviation, channel by channel.</summary>
public sealed record Normalization(IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>What a network was trained with.</summary>
    public static Normalization Of(ImageClassifier network) => new(network.Config.Mean, network.Config.StandardDeviations);

    /// <param name="pixels">[B, C, H, W], uint8; of one channel, it stands for all.</param>
    /// <returns>float32, on the device.</returns>
    public Tensor Of(Tensor pixels, Device device)
    {
        using var scope = NewDisposeScope();
        return Apply(pixels.to(device).to(ScalarType.Float32).div_(255.0)).MoveToOuterDisposeScope();
    }

    /// <param name="unit">[B, C, H, W], float32, between 0 and 1: gradients go through.</param>
    public Tensor Apply(Tensor unit)
    {
        using var scope = NewDisposeScope();
        var shape = new long[] { 1, Mean.Count, 1, 1 };
        var mean = tensor(Mean.Select(value => (float)value).ToArray(), shape, device: unit.device);
        var deviation = tensor(Deviation.Select(value => (float)value).ToArray(), shape, device: unit.device);
        return unit.sub(mean).div(deviation).MoveToOuterDisposeScope();
    }
}
