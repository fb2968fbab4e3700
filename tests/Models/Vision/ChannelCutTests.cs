using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models.Vision;

/// <summary>Zeroed and cut networks agree, whatever the architecture; what is cut is saved, loaded and counted.</summary>
public sealed class ChannelCutTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-vision-").FullName;
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly IDisposable ungraded = no_grad();

    public void Dispose()
    {
        ungraded.Dispose();
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [MemberData(nameof(TinyClassifiers.Names), MemberType = typeof(TinyClassifiers))]
    public void Cutting_is_zeroing_saving_and_counting(string name)
    {
        using var masked = TinyClassifiers.Create(name);
        using var cut = TinyClassifiers.Create(name);
        using var gated = TinyClassifiers.Create(name);
        var images = TinyClassifiers.Images(cut.Config);
        var whole = cut.Forward(images);
        var random = new Random(11);
        var sites = cut.Sites();
        var kept = sites.Select(site => Kept(site, random)).ToArray();
        var expected = VisionFlops.Costs(cut).After(sites, [.. kept.Select(units => units.Length)]);

        var masks = new ChannelMasks();
        foreach (var (site, units) in gated.Sites().Zip(kept))
            site.Gate(masks, Gates(site, units));
        foreach (var (site, units) in masked.Sites().Zip(kept))
            site.Zero([.. Enumerable.Range(0, site.Count).Except(units)]);
        UnitCut.Keep([.. sites.Zip(kept, (site, units) => ((UnitSite)site, (IReadOnlyList<int>)units))]);

        var logits = cut.Forward(images);
        var size = whole.abs().max().ToDouble();
        Assert.True((logits - whole).abs().max().ToDouble() > 1e-3 * size);
        Assert.InRange((masked.Forward(images) - logits).abs().max().ToDouble(), 0, 1e-5 * Math.Max(1, size));
        Assert.InRange((gated.Forward(images, masks) - logits).abs().max().ToDouble(), 0, 1e-5 * Math.Max(1, size));
        Assert.Equal((expected.Parameters, expected.Macs), (cut.ParameterCount(), VisionFlops.Macs(cut)));

        Assert.True(VisionFolder.Save(cut, folder));
        using var loaded = VisionFolder.Load(folder, CPU);
        Assert.True(logits.Equals(loaded.Forward(images)));
        Assert.Equal(sites.Select(site => (site.Name, site.Count)), loaded.Sites().Select(site => (site.Name, site.Count)));
    }

    [Theory]
    [InlineData("cifar-resnet-a")]
    [InlineData("cifar-resnet-b")]
    public void Each_site_can_be_cut_by_itself(string name)
    {
        using var counted = TinyClassifiers.Create(name);
        var images = TinyClassifiers.Images(counted.Config, 1);
        var random = new Random(3);
        foreach (var (index, site) in counted.Sites().Index())
        {
            using var cut = TinyClassifiers.Create(name);
            using var masked = TinyClassifiers.Create(name);
            var units = Kept(site, random);

            cut.Sites()[index].Keep(units);
            masked.Sites()[index].Zero([.. Enumerable.Range(0, site.Count).Except(units)]);

            Assert.InRange((masked.Forward(images) - cut.Forward(images)).abs().max().ToDouble(), 0, 1e-5 * masked.Forward(images).abs().max().ToDouble());
            var removed = site.Count - units.Length;
            Assert.Equal(counted.ParameterCount() - removed * site.UnitParameters, cut.ParameterCount());
            Assert.Equal(VisionFlops.Macs(counted) - removed * site.UnitMacs, VisionFlops.Macs(cut));
        }
    }

    [Theory]
    [MemberData(nameof(TinyClassifiers.Names), MemberType = typeof(TinyClassifiers))]
    public void Inner_sites_leave_stream_stem_and_classifier_alone(string name)
    {
        using var network = TinyClassifiers.Create(name);
        var sites = network.Sites(ChannelScope.Inner);
        var before = network.Graph.Nodes.ToDictionary(node => node.Name, node => network.Widths[node.Index]);

        UnitCut.Keep([.. sites.Select(site => ((UnitSite)site, (IReadOnlyList<int>)[0, site.Count - 1]))]);

        foreach (var node in network.Graph.Nodes.Where(node => node.Operation is Operation.Add or Operation.PadShortcut or Operation.Image or Operation.Linear))
            Assert.Equal(before[node.Name], network.Widths[node.Index]);
        var stem = network.Graph.Nodes.First(node => node.Operation is Operation.Convolution);
        Assert.Equal(stem.Channels, network.Widths[stem.Index]);
        Assert.Equal(sites.Count, network.Graph.Nodes.Count(node => node.Operation is Operation.Convolution { Inner: true, Depthwise: false }));
        Assert.Equal([2, network.Config.NumClasses], network.Forward(TinyClassifiers.Images(network.Config)).shape);
    }

    private static int[] Kept(ChannelSite site, Random random)
    {
        var count = random.Next(1, site.Count + 1);
        return [.. random.GetItems(Enumerable.Range(0, site.Count).ToArray(), count).Distinct().Order()];
    }

    private static Tensor Gates(ChannelSite site, int[] units) =>
        zeros(site.Count).index_fill_(0, tensor(units.Select(unit => (long)unit).ToArray()), 1);
}
