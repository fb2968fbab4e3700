using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models.Vision;

/// <summary>Which channels only go together, on graphs of a few nodes.</summary>
public sealed class CouplingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly IDisposable ungraded = no_grad();

    public void Dispose()
    {
        ungraded.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void A_block_has_its_inner_width_and_stages_have_a_stream_each()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-a");

        var sites = network.Sites();

        Assert.Equal(
            ["conv1", "layer1.0.conv1", "layer1.1.conv1", "layer1.2.conv1", "layer2.0.conv1", "layer2.0.conv2"], sites.Take(6).Select(site => site.Name));
        Assert.Equal([16, 32, 64], sites.Where(site => !site.Inner).Select(site => site.Count));
        Assert.Equal(9, network.Sites(ChannelScope.Inner).Count);

        // A filter of 3 × 3 over 16 channels, a scale and a shift, and 3 × 3 weights of each of 16 readers' filters.
        Assert.Equal(2 * 9 * 16 + 2, sites[1].UnitParameters);
        Assert.Equal(2 * 9 * 16 * 32 * 32, sites[1].UnitMacs);
        Assert.Equal(["layer1.0.conv2"], sites[1].Readers.Select(reader => reader.Node.Name));
        Assert.Equal(["layer1.0.conv1", "layer1.1.conv1", "layer1.2.conv1", "layer2.0.conv1", "layer2.0.shortcut"], sites[0].Readers.Select(reader => reader.Node.Name));
    }

    [Fact]
    public void A_padded_shortcut_lists_what_it_passes_on()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        var sites = network.Sites().Where(site => !site.Inner).ToArray();

        // The stem loses channels 0 and 3; the second stage its channels 0 (zeros), 9 (the stem's 1) and 11 (its 3).
        UnitCut.Keep(
        [
            (sites[0], [.. Enumerable.Range(0, 16).Except([0, 3])]),
            (sites[1], [.. Enumerable.Range(0, 32).Except([0, 9, 11])]),
        ]);

        var sources = network.Shortcuts().First().Sources.data<long>().ToArray();
        Assert.Equal([-1, -1, -1, -1, -1, -1, -1, -1, 1, 2, 3], sources[..11]);
        Assert.Equal(29, sources.Length);
        Assert.Equal(13, sources.Max());
        Assert.Throws<InvalidOperationException>(() => sites[2].Keep([0]));
    }

    [Fact]
    public void Groups_of_a_grouped_convolution_stay_equally_wide()
    {
        var g = new GraphBuilder(4);
        var x = g.Relu("relu", g.Convolution("first", g.Image, 6, 1, bias: true));
        x = g.BatchNorm("bn", g.Convolution("grouped", x, 4, 3, padding: 1, groups: 2));
        g.Linear("fc", g.Flatten("flatten", x), 2);
        AssertExact(g.Build(), [("first", 3, [0, 2]), ("grouped", 2, [1])]);
    }

    [Fact]
    public void A_concatenation_keeps_the_channels_of_both_sides_apart()
    {
        var g = new GraphBuilder(4);
        var left = g.BatchNorm("bn", g.Convolution("left", g.Image, 3, 1));
        var right = g.Convolution("right", g.Image, 4, 1, bias: true);
        var x = g.AvgPool("pool", g.Concat("concat", left, g.Image, right), 2, 2);
        x = g.Convolution("reader", x, 5, 1);
        g.Linear("fc", g.Flatten("flatten", x), 2);
        AssertExact(g.Build(), [("left", 3, [1]), ("right", 4, [0, 3]), ("reader", 5, [0, 1, 4])]);
    }

    [Fact]
    public void A_branch_that_reads_a_part_splits_no_site_and_a_sum_joins_two()
    {
        var g = new GraphBuilder(4);
        var stem = g.Convolution("stem", g.Image, 4, 1);
        var x = g.Add("add", g.MaxPool("pool", g.BatchNorm("bn", g.Convolution("conv", g.Relu("relu", stem), 4, 1)), 3, 1, 1), stem);
        x = g.Depthwise("depthwise", x, 3, 1, 1);
        g.Linear("fc", g.Flatten("flatten", x), 2);
        AssertExact(g.Build(), [("stem", 4, [0, 2])]);
    }

    [Fact]
    public void What_reaches_the_classes_or_comes_from_the_images_is_nobodys()
    {
        var g = new GraphBuilder(4);
        var x = g.Add("add", g.Convolution("conv", g.Image, 3, 1), g.Image);
        g.Flatten("flatten", g.GlobalAvgPool("pool", g.Convolution("classes", x, 2, 1)));
        using var network = VisionFolder.Create(new ImageConfig("Fixed", g.Build()), 1);

        Assert.Empty(network.Sites());
    }

    [Fact]
    public void Units_are_kept_in_order_and_at_least_one_of_them()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-b");
        var site = network.Sites()[0];

        Assert.Throws<ModelException>(() => site.Keep([]));
        Assert.Throws<ModelException>(() => site.Keep([16]));
        Assert.Throws<ModelException>(() => site.Keep([1, 1]));
    }

    /// <summary>Zeroed and cut networks agree, and every gate closes what it should.</summary>
    private static void AssertExact(VisionGraph graph, (string Name, int Count, int[] Kept)[] expected)
    {
        using var cut = Create();
        using var masked = Create();
        using var gated = Create();
        using var generator = new Generator(2, CPU);
        var images = empty(3, 3, graph.ImageSize, graph.ImageSize).normal_(generator: generator);
        var sites = cut.Sites();
        Assert.Equal(expected.Select(one => (one.Name, one.Count)), sites.Select(site => (site.Name, site.Count)));
        var costs = VisionFlops.Costs(cut).After(sites, [.. expected.Select(one => one.Kept.Length)]);

        var masks = new ChannelMasks();
        foreach (var ((name, count, kept), (zeroed, closed)) in expected.Zip(masked.Sites().Zip(gated.Sites())))
        {
            zeroed.Zero([.. Enumerable.Range(0, count).Except(kept)]);
            closed.Gate(masks, tensor(Enumerable.Range(0, count).Select(unit => kept.Contains(unit) ? 1f : 0f).ToArray()));
        }

        UnitCut.Keep([.. sites.Zip(expected, (site, one) => ((UnitSite)site, (IReadOnlyList<int>)one.Kept))]);
        var logits = cut.Forward(images);
        Assert.InRange((masked.Forward(images) - logits).abs().max().ToDouble(), 0, 1e-5);
        Assert.InRange((gated.Forward(images, masks) - logits).abs().max().ToDouble(), 0, 1e-5);
        Assert.Equal((costs.Parameters, costs.Macs), (cut.ParameterCount(), VisionFlops.Macs(cut)));

        ImageClassifier Create() => TinyClassifiers.Moved(VisionFolder.Create(new ImageConfig("Few", graph), 1));
    }
}
