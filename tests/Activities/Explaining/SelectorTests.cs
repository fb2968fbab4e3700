using Pipelines.Activities.Explaining;
using Pipelines.Activities.Tuning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Explaining;

/// <summary>Feature maps of every architecture, whole, masked and cut, and what is read from them.</summary>
public sealed class SelectorTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<string, ChannelScope> Networks()
    {
        var all = new TheoryData<string, ChannelScope>();
        foreach (var name in new[] { "cifar-resnet-a", "cifar-resnet-b", "vgg16", "resnet18", "mobilenet-v2" })
        {
            all.Add(name, ChannelScope.Full);
            all.Add(name, ChannelScope.Inner);
        }

        return all;
    }

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData("cifar-resnet-a", "layer1.2.relu2", "layer2.2.relu2", "layer3.2.relu2")]
    [InlineData("resnet50", "layer2.3.relu", "layer3.5.relu", "layer4.2.relu")]
    [InlineData("mobilenet-v2", "features.6.add", "features.13.add", "features.18.2")]
    [InlineData("vgg16", "features.22", "features.32", "features.42")]
    public void The_maps_are_the_last_of_each_size_outside_of_blocks(string name, params string[] nodes) =>
        Assert.Equal(nodes, new FeatureMaps(TinyClassifiers.Config(name).Graph).Nodes.Select(node => node.Name));

    [Fact]
    public void A_network_of_fewer_sizes_cannot_be_explained()
    {
        var graph = new GraphBuilder(8);
        graph.Linear("fc", graph.Flatten("flatten", graph.GlobalAvgPool("mean", graph.Convolution("stem", graph.Image, 4, 3, padding: 1))), 2);

        Assert.Contains("of 1 sizes", Assert.Throws<StageException>(() => new FeatureMaps(graph.Build())).Message);
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_masked_network_and_what_is_cut_of_it_have_one_explanation(string name, ChannelScope channels)
    {
        using var ungraded = no_grad();
        using var network = TinyClassifiers.Create(name);
        using var whole = TinyClassifiers.Create(name);
        using var cut = TinyClassifiers.Create(name);
        using var explained = Explained(network);
        using var groups = new ChannelGroups(cut, channels);
        var (images, labels) = (TinyClassifiers.Images(network.Config), tensor([1L, 0L]));
        int[][] kept = [.. groups.Sites.Select((site, index) => Enumerable.Range(0, site.Count).Where(unit => unit == 0 || (unit + index) % 3 != 1).ToArray())];

        var masks = new ChannelMasks();
        foreach (var (site, units) in network.Sites(channels).Zip(kept))
            site.Gate(masks, zeros(site.Count).index_fill_(0, tensor(units.Select(unit => (long)unit).ToArray()), 1));
        var (logits, masked) = explained.Explain(network, images, labels, masks);
        groups.Cut(kept, "hash", "prune.isp", StageFolder.Unkept).Decision.Restore(whole, cut);
        var (after, restored) = explained.Explain(whole, images, labels);

        Assert.Equal([2, 3], masked.shape);
        Assert.InRange((masked - restored).abs().max().ToDouble(), 0, 1e-5 * Math.Max(1, masked.abs().max().ToDouble()));
        Assert.InRange((logits - after).abs().max().ToDouble(), 0, 1e-5 * Math.Max(1, logits.abs().max().ToDouble()));
        Assert.InRange((masked - explained.Explain(network, images, labels).Parameters).abs().max().ToDouble(), 1e-4, 1e9);
    }

    [Fact]
    public void It_begins_with_wide_masks_and_follows_from_its_generator()
    {
        using var ungraded = no_grad();
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        using var explained = Explained(network);
        using var other = Explained(network);
        var images = TinyClassifiers.Images(network.Config);

        var places = RadialMask.Places(explained.Explain(network, images, tensor([3L, 3L])).Parameters);

        Assert.All(places.data<float>().ToArray().Chunk(3), place => Assert.InRange(place[2], 8, 12));
        Assert.True(places.Equals(RadialMask.Places(other.Explain(network, images, tensor([3L, 3L])).Parameters)));
        Assert.False(places.Equals(RadialMask.Places(explained.Explain(network, images, tensor([3L, 4L])).Parameters)));
    }

    [Fact]
    public void Gradients_reach_the_selector_and_not_the_network()
    {
        using var network = TinyClassifiers.Create("cifar-resnet-a");
        using var explained = Explained(network);
        foreach (var tensor in explained.Selector.Parameters)
            tensor.requires_grad_();
        explained.Selector.Training = true;
        var before = explained.Selector.Buffers.Select(one => one.Tensor.clone()).ToArray();

        explained.Explain(network, TinyClassifiers.Images(network.Config), tensor([1L, 0L])).Parameters.square().sum().backward();

        Assert.All(explained.Selector.Named.Where(one => !one.Name.Contains("running", StringComparison.Ordinal)), one =>
            Assert.True(one.Tensor.grad is { } gradient && gradient.abs().sum().ToDouble() > 0, one.Name));
        Assert.All(network.NamedParameters(), one => Assert.Null(one.Tensor.grad));
        Assert.All(explained.Selector.Buffers.Zip(before), one => Assert.False(one.First.Tensor.Equals(one.Second), one.First.Name));
    }

    [Theory]
    [InlineData(15, 8, 4)]
    [InlineData(17, 8, 4)]
    public void Maps_that_are_not_halves_of_each_other_are_joined(int large, int middle, int small)
    {
        using var selector = new Selector([(4, large, large), (6, middle, middle), (8, small, small)], 2, new Generator(1), CPU);

        var found = selector.Forward([randn(3, 4, large, large), randn(3, 6, middle, middle), randn(3, 8, small, small)], tensor([0L, 1, 1]));

        Assert.Equal([3, 3], found.shape);
    }

    private static ExplainedNetwork Explained(ImageClassifier network)
    {
        var maps = new FeatureMaps(network.Graph);
        return new ExplainedNetwork(Selector.Create(network, maps, new Generator(2)), maps);
    }
}
