using Pipelines.Models;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Models.Vision;

/// <summary>Counts of uncut networks against those worked out from the papers' layer tables.</summary>
public sealed class VisionFlopsTests
{
    [Theory]
    [InlineData("""{"architectures":["ResNet"],"depth":18}""", 1.814e9, 11_689_512)]
    [InlineData("""{"architectures":["ResNet"],"depth":34}""", 3.664e9, 21_797_672)]
    [InlineData("""{"architectures":["ResNet"],"depth":50}""", 4.089e9, 25_557_032)]
    [InlineData("""{"architectures":["MobileNetV2"]}""", 0.3008e9, 3_504_872)]
    [InlineData("""{"architectures":["CifarResNet"],"depth":56,"shortcut":"A"}""", 125.49e6, 853_018)]
    [InlineData("""{"architectures":["CifarResNet"],"depth":56,"shortcut":"B"}""", 125.75e6, 855_770)]
    public void Counts_multiply_adds_and_parameters(string config, double macs, long parameters)
    {
        using var network = VisionFolder.Create(TinyClassifiers.Parse(config), seed: 1);

        Assert.Equal(1, VisionFlops.Macs(network) / macs, 5e-4);
        Assert.Equal(parameters, network.ParameterCount());
        var whole = VisionFlops.Costs(network).Whole;
        Assert.Equal((parameters, VisionFlops.Macs(network)), (whole.Parameters, whole.Macs));
        Assert.Equal(VisionFlops.Macs(network), VisionFlops.ByNode(network).Sum(node => node.Macs));
    }

    [Fact]
    public void Counts_a_network_of_three_layers_by_hand()
    {
        var g = new GraphBuilder(4);
        var x = g.Convolution("conv", g.Image, 2, 3, padding: 1);
        x = g.Depthwise("depthwise", x, 3, stride: 2, padding: 1);
        g.Linear("fc", g.Flatten("flatten", x), 5);
        using var network = VisionFolder.Create(new ImageConfig("Hand", g.Build()), seed: 1);

        // 4 × 4 positions of 2 · 3 · 9, 2 × 2 of 2 · 9, and 8 · 5.
        Assert.Equal(16 * 54 + 4 * 18 + 40, VisionFlops.Macs(network));
        Assert.Equal(54 + 18 + 45, network.ParameterCount());
    }
}
