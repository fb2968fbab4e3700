using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models.Vision;

/// <summary>A cut network at its old widths computes what it does at its new ones, whatever was cut and trained.</summary>
public sealed class ChannelRestoreTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly IDisposable ungraded = no_grad();

    public static TheoryData<string, ChannelScope> Networks()
    {
        var all = new TheoryData<string, ChannelScope>();
        foreach (var name in new[] { "cifar-resnet-a", "cifar-resnet-b", "vgg16", "resnet18", "resnet50", "mobilenet-v2" })
        {
            all.Add(name, ChannelScope.Full);
            all.Add(name, ChannelScope.Inner);
        }

        return all;
    }

    public void Dispose()
    {
        ungraded.Dispose();
        scope.Dispose();
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void It_computes_what_the_cut_one_does(string name, ChannelScope channels)
    {
        using var whole = TinyClassifiers.Create(name);
        using var cut = TinyClassifiers.Create(name);
        var images = TinyClassifiers.Images(whole.Config);
        var shapes = whole.NamedParameters().Select(one => (one.Name, string.Join(',', one.Tensor.shape))).ToArray();
        int[][] kept = Cut(cut, channels);

        // What happens to it after the cut is its own affair.
        foreach (var (_, tensor) in cut.NamedParameters().Concat(cut.NamedBuffers()).Where(one => one.Tensor.is_floating_point()))
            tensor.mul_(1.01);
        var expected = cut.Forward(images);
        ChannelRestore.Into(whole, cut, [.. whole.Sites(channels).Zip(kept, (site, units) => (site, (IReadOnlyList<int>)units))]);

        Assert.Equal(shapes, whole.NamedParameters().Select(one => (one.Name, string.Join(',', one.Tensor.shape))));
        Assert.InRange((whole.Forward(images) - expected).abs().max().ToDouble(), 0, 1e-5 * Math.Max(1, expected.abs().max().ToDouble()));
    }

    [Fact]
    public void A_cut_that_was_another_is_refused()
    {
        using var whole = TinyClassifiers.Create("cifar-resnet-a");
        using var cut = TinyClassifiers.Create("cifar-resnet-a");
        var sites = whole.Sites(ChannelScope.Inner);
        Cut(cut, ChannelScope.Inner);

        var error = Assert.Throws<ModelException>(() => ChannelRestore.Into(whole, cut, [(sites[0], [0])]));

        Assert.Contains("layer1.0.conv1.weight: the cut network has 11 of 16 along axis 0: the decision leaves 1", error.Message);
    }

    private static int[][] Cut(ImageClassifier network, ChannelScope channels)
    {
        var sites = network.Sites(channels);
        int[][] kept = [.. sites.Select((site, index) => Enumerable.Range(0, site.Count).Where(unit => unit == 0 || (unit + index) % 3 != 1).ToArray())];
        UnitCut.Keep([.. sites.Zip(kept, (site, units) => ((UnitSite)site, (IReadOnlyList<int>)units))]);
        return kept;
    }
}
