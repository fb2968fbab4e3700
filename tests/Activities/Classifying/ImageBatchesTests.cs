using Pipelines.Activities.Allocation;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Tests.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Classifying;

/// <summary>What a step of training sees.</summary>
public sealed class ImageBatchesTests : IDisposable
{
    private static readonly Normalization Plain = new([0], [1.0 / 255]);

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_crop_is_one_of_all_that_the_border_allows_and_moves_every_channel_alike()
    {
        // Two channels of 2 × 2; with a border of one there are nine places.
        var image = arange(1, 9, dtype: ScalarType.Byte).view(1, 2, 2, 2);
        var padded = nn.functional.pad(image.to(ScalarType.Float32), [1, 1, 1, 1]).to(ScalarType.Byte);
        var expected = (
            from down in Enumerable.Range(0, 3)
            from right in Enumerable.Range(0, 3)
            select Text(padded.narrow(2, down, 2).narrow(3, right, 2))).ToHashSet();

        var seen = Enumerable.Range(0, 200).Select(seed => Text(new Augmentation(1, false, 0).Move(image, new SplitMix(0, (ulong)seed)))).ToHashSet();

        Assert.Equal(9, expected.Count);
        Assert.True(expected.SetEquals(seen));
    }

    [Fact]
    public void A_border_wider_than_the_image_leaves_some_black()
    {
        var image = ones(1, 1, 2, 3, ScalarType.Byte);

        var sums = Enumerable.Range(0, 300).Select(seed => new Augmentation(4, true, 0).Move(image, new SplitMix(0, (ulong)seed)).sum().ToInt64()).ToHashSet();

        Assert.Subset(new HashSet<long> { 0, 1, 2, 3, 4, 6 }, sums);
        Assert.Contains(0, sums);
    }

    [Fact]
    public void Half_of_the_images_are_turned_each_by_itself()
    {
        var images = tensor(new byte[] { 1, 2, 3 }).expand(1000, 1, 2, 3).contiguous();

        var moved = new Augmentation(0, true, 0).Move(images, new SplitMix(0, 1));

        var turned = moved.eq(tensor(new byte[] { 3, 2, 1 })).reshape(1000, -1).all(1);
        var same = moved.eq(images).reshape(1000, -1).all(1);
        Assert.True((turned | same).all().ToBoolean());
        Assert.InRange(turned.sum().ToInt64(), 430, 570);
    }

    [Fact]
    public void Pixels_are_normalised_by_channel()
    {
        var pixels = tensor(new byte[] { 0, 255, 51, 102 }).view(1, 2, 1, 2);

        var inputs = new Normalization([0.5, 0.2], [0.25, 0.1]).Of(pixels, CPU);

        Near.Equal([-2, 2, 0, 2], inputs.view(-1), 1e-6);
    }

    [Fact]
    public void An_epoch_has_every_image_once_and_a_step_is_the_same_wherever_one_begins()
    {
        var batches = Batches(Augmentation.None, size: 5);
        float[][] steps = [.. Enumerable.Range(0, 8).Select(step => batches.At(step).Inputs.reshape(-1).round().data<float>().ToArray())];

        Assert.Equal(Enumerable.Range(0, 20).Select(value => (float)value), steps[..4].SelectMany(step => step).Order());
        Assert.Equal(Enumerable.Range(0, 20).Select(value => (float)value), steps[4..].SelectMany(step => step).Order());
        Assert.NotEqual(steps[..4].SelectMany(step => step), steps[4..].SelectMany(step => step));
        Assert.Equal(steps[6], Batches(Augmentation.None, size: 5).At(6).Inputs.reshape(-1).round().data<float>().ToArray());
    }

    [Fact]
    public void Changes_too_follow_from_seed_and_step_alone()
    {
        var all = new Augmentation(2, true, 0.4);
        var (batches, later) = (Batches(all), Batches(all));
        for (var step = 0; step < 3; step++)
            batches.At(step);

        var (one, other, next) = (batches.At(3), later.At(3), batches.At(4));

        Assert.True(one.Inputs.Equals(other.Inputs));
        Assert.Equal(one.Share, other.Share);
        Assert.True(one.Others!.Equals(other.Others!));
        Assert.NotEqual(one.Share, next.Share);
        Assert.NotEqual(one.Share, Batches(all, seed: 1).At(3).Share);
    }

    [Fact]
    public void Mixed_images_are_sums_of_two_by_the_share_and_carry_both_labels()
    {
        // The only pixel of an image is its label.
        var batch = Batches(new Augmentation(0, false, 1), size: 20).At(0);

        var expected = batch.Labels * batch.Share + batch.Others! * (1 - batch.Share);
        Assert.InRange(batch.Share, 0, 1);
        Near.Equal(expected.to(ScalarType.Float32).data<float>().Select(value => (double)value).ToArray(), batch.Inputs.view(-1), 1e-4);
        Assert.Equal(Enumerable.Range(0, 20).Select(value => (long)value), batch.Others!.data<long>().ToArray().Order());
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(1.0)]
    public void Shares_have_the_mean_and_variance_of_their_distribution(double alpha)
    {
        var random = new SplitMix(0, 0);
        var augmentation = new Augmentation(0, false, alpha);
        double[] drawn = [.. Enumerable.Range(0, 20_000).Select(_ => augmentation.Share(random))];

        var mean = drawn.Average();
        Assert.Equal(0.5, mean, 0.01);
        Assert.Equal(1 / (4 * (2 * alpha + 1)), drawn.Average(value => (value - mean) * (value - mean)), 0.005);
    }

    [Fact]
    public void Loss_is_spread_by_smoothing_and_shared_by_mixtures()
    {
        // Probabilities 1/4 and 3/4.
        var logits = tensor(new[] { 0, (float)Math.Log(3) }).view(1, 2);
        var (first, second) = (tensor(new[] { 0L }), tensor(new[] { 1L }));
        var (quarter, rest) = (-Math.Log(0.25), -Math.Log(0.75));

        Near.Equal(rest, ClassificationLoss.Of(logits, new ImageBatch(logits, second, null, 1), 0), 1e-6);
        Near.Equal(0.9 * rest + 0.1 * quarter, ClassificationLoss.Of(logits, new ImageBatch(logits, second, null, 1), 0.2), 1e-6);
        Near.Equal(0.3 * quarter + 0.7 * rest, ClassificationLoss.Of(logits, new ImageBatch(logits, first, second, 0.3), 0), 1e-6);
    }

    private static string Text(Tensor pixels) => string.Join(' ', pixels.reshape(-1).data<byte>().ToArray());

    private static ImageBatches Batches(Augmentation augmentation, int size = 4, long seed = 0)
    {
        var labels = arange(20);
        var images = ImageSet.Of(labels.to(ScalarType.Byte).view(-1, 1, 1, 1), labels, "some", [.. Enumerable.Range(0, 20).Select(label => $"{label}")]);
        return new ImageBatches(images, Plain, size, augmentation, seed, CPU);
    }
}
