using Pipelines.Activities.Data;
using Pipelines.Workflows;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Images;

/// <summary>Divided sets, and those that are made.</summary>
public sealed class SplitTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_share_is_taken_of_each_class_and_nothing_is_in_both()
    {
        // 10, 5 and 1 of three classes: 0.3 of them is 3, 2 (1.5 rounded up) and 0.
        var images = Set([.. Enumerable.Repeat(0L, 10), .. Enumerable.Repeat(1L, 5), 2]);

        var (part, rest) = SplitImages.Split(images, 0.3, null, seed: 5);

        Assert.Equal([3, 2, 0], part.Info.Counts);
        Assert.Equal([7, 3, 1], rest.Info.Counts);
        Assert.Equal(Enumerable.Range(0, 16).Select(row => (byte)row), [.. Rows(part).Concat(Rows(rest)).Order()]);
        Assert.Equal(Rows(part), Rows(SplitImages.Split(images, 0.3, null, seed: 5).Part));
        Assert.NotEqual(Rows(part), Rows(SplitImages.Split(images, 0.3, null, seed: 6).Part));
    }

    [Fact]
    public void A_class_is_taken_whole_and_labels_stay()
    {
        var (part, rest) = SplitImages.Split(Set([0, 1, 2, 1, 0]), 1, "one", seed: 0);

        Assert.Equal<byte>([1, 3], Rows(part));
        Assert.Equal([1L, 1], part.Labels.data<long>().ToArray());
        Assert.Equal([0L, 2, 0], rest.Labels.data<long>().ToArray());
        Assert.Equal(["zero", "one", "two"], rest.Info.Classes);
    }

    [Fact]
    public void What_is_drawn_of_one_class_does_not_depend_on_the_others()
    {
        long[] labels = [.. Enumerable.Range(0, 40).Select(row => row % 2L)];

        var both = SplitImages.Split(Set(labels), 0.5, null, seed: 1).Part;
        var one = SplitImages.Split(Set(labels), 0.5, "zero", seed: 1).Part;

        Assert.Equal(Rows(both).Where(row => row % 2 == 0), Rows(one));
    }

    [Theory]
    [InlineData(0.0, null)]
    [InlineData(1.0, null)]
    public void A_split_with_an_empty_side_is_refused(double fraction, string? only) =>
        Assert.Contains("expected some, and some left", Assert.Throws<StageException>(() => SplitImages.Split(Set([0, 1]), fraction, only, 0)).Message);

    [Fact]
    public void Made_images_are_the_same_by_seed_balanced_and_told_apart_by_their_neighbours()
    {
        var parameters = new SyntheticImages.Parameters(Classes: 4, Size: 16);
        var (train, same, test) = (Make(parameters, 0), Make(parameters, 0), Make(parameters, 1));

        Assert.Equal(train.Info.Sha256, same.Info.Sha256);
        Assert.NotEqual(train.Info.Sha256, test.Info.Sha256);
        Assert.Equal([50, 50, 50, 50], train.Info.Counts);

        // By edges, which do not depend on colours: the nearest of the training images says the class oftener than chance, 0.25.
        var distances = cdist(Edges(test.Pixels), Edges(train.Pixels));
        var right = train.Labels.index_select(0, distances.argmin(1)).eq(test.Labels).to(ScalarType.Float64).mean().ToDouble();
        Assert.True(right > 0.35, $"{right}");
    }

    private static ImageSet Make(SyntheticImages.Parameters parameters, ulong stream) =>
        SyntheticImages.Make("made", 50, parameters, stream, null, TestContext.Current.CancellationToken);

    private static Tensor Edges(Tensor pixels)
    {
        var grey = pixels.to(ScalarType.Float32).mean([1L]);
        var edges = (grey.narrow(2, 1, 15) - grey.narrow(2, 0, 15)).abs();
        return nn.functional.avg_pool2d(edges.unsqueeze(1), 3, 3).reshape(pixels.shape[0], -1);
    }

    private static byte[] Rows(ImageSet set) => set.Pixels.reshape(-1).data<byte>().ToArray();

    /// <summary>One pixel each: its row.</summary>
    private static ImageSet Set(long[] labels) => ImageSet.Of(
        arange(labels.Length, dtype: ScalarType.Byte).view(-1, 1, 1, 1), tensor(labels), "some", ["zero", "one", "two"]);
}
