using Pipelines.Activities.Explaining;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Tests.Torch;
using Pipelines.Workflows;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Explaining;

public sealed class SaliencyTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Maps_agree_by_angle_order_and_brightest_places()
    {
        var maps = new MapSimilarity(0.5);
        maps.Add([4, 3, 0, 0], [0, 3, 4, 0]);

        Assert.Equal(9.0 / 25, maps.Cosine, 1e-12);
        // Ranks 3, 2, ½, ½ and ½, 2, 3, ½ about 1.5: the squares of both add up to 4.5, the products to −1.75.
        Assert.Equal(-1.75 / 4.5, maps.Spearman, 1e-12);
        Assert.Equal(1.0 / 3, maps.Overlap, 1e-12);
        Assert.Null(maps.StandardError);

        maps.Add(tensor([1f, 2f, 3f, 4f], [1, 2, 2]), tensor([2f, 4f, 6f, 8f], [1, 2, 2]));
        Assert.Equal((9.0 / 25 + 1) / 2, maps.Cosine, 1e-12);
        Assert.Equal((1.0 / 3 + 1) / 2, maps.Overlap, 1e-12);
        Assert.Equal(0.32, maps.StandardError!.Value, 1e-9);
        Assert.Equal(2, maps.Count);
    }

    [Fact]
    public void Without_a_map_there_is_nothing_to_agree_with()
    {
        var maps = new MapSimilarity(0.5);
        maps.Add([0, 0, 0], [1, 2, 3]);
        maps.Add([0, 0, 0], [0, 0, 0]);

        Assert.Equal((0.0, 0.0, 0.0), (maps.Cosine, maps.Spearman, maps.Overlap));
        Assert.Contains("no number", Assert.Throws<StageException>(() => maps.Add([1, double.NaN], [1, 2])).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void The_map_of_a_linear_network_is_its_weights_whatever_the_noise(int samples)
    {
        using var network = Linear();
        var pixels = arange(2 * 3 * 4 * 4).to(ScalarType.Byte).view(2, 3, 4, 4);

        var maps = new GradientMaps(2, samples, 0.1, 5).Of(network, pixels, tensor([0L, 1L]), 0);

        // logit = w · mean over the pixels of (x − m) / d: a pixel's gradient is w / 16 / d; the largest over colours.
        Assert.Equal([2, 2, 2], maps.shape);
        Near.Equal([.. Enumerable.Repeat(3 / 16.0 / 0.224, 4), .. Enumerable.Repeat(6 / 16.0 / 0.225, 4)], maps, 1e-6);
    }

    [Fact]
    public void Noise_is_that_of_an_image_whatever_is_run_together()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        var pixels = arange(4 * 3 * 32 * 32).remainder(251).to(ScalarType.Byte).view(4, 3, 32, 32);
        var (classes, maps) = (tensor([0L, 1, 2, 3]), new GradientMaps(4, 2, 0.15, 1));

        var whole = maps.Of(network, pixels, classes, 0);
        var parts = cat([maps.Of(network, pixels.narrow(0, 0, 3), classes.narrow(0, 0, 3), 0), maps.Of(network, pixels.narrow(0, 3, 1), classes.narrow(0, 3, 1), 3)]);

        Assert.InRange((whole - parts).abs().max().ToDouble(), 0, 1e-4 * whole.abs().max().ToDouble());
        Assert.False(whole.allclose((maps with { Seed = 2 }).Of(network, pixels, classes, 0)));
        Assert.False(whole.allclose((maps with { Samples = 0 }).Of(network, pixels, classes, 0)));
    }

    /// <summary>The mean colour, weighed: [1, −3, 2] for the first class, [0, 5, −6] for the second.</summary>
    private static ImageClassifier Linear()
    {
        var g = new GraphBuilder(4);
        g.Linear("fc", g.Flatten("flatten", g.GlobalAvgPool("mean", g.Image)), 2);
        return new ImageClassifier(
            new ImageConfig("Linear", g.Build()),
            [("fc.weight", tensor([1f, -3f, 2f, 0f, 5f, -6f], [2, 3])), ("fc.bias", zeros(2))]);
    }
}
