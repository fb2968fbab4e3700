using Pipelines.Models;

namespace Pipelines.Tests.Fixtures;

/// <summary>The network of golden/prune/resnet-small: a stem, and four basic blocks of 8, 16, 16 and 32 channels with projections.</summary>
internal static class SmallResNet
{
    public static ImageConfig Config()
    {
        var g = new GraphBuilder(16);
        var x = g.Relu("relu", g.BatchNorm("bn", g.Convolution("stem", g.Image, 8, 3, padding: 1)));
        x = Block(g, x, "b1", 8, 1);
        x = Block(g, x, "b2", 16, 2);
        x = Block(g, x, "b3", 16, 1);
        x = Block(g, x, "b4", 32, 2);
        g.Linear("fc", g.Flatten("flatten", g.GlobalAvgPool("mean", x)), 10);
        return new ImageConfig("SmallResNet", g.Build());
    }

    private static int Block(GraphBuilder g, int x, string name, int channels, int stride)
    {
        var y = g.Convolution($"{name}.conv1", x, channels, 3, stride, 1, inner: true);
        y = g.Relu($"{name}.relu1", g.BatchNorm($"{name}.bn1", y));
        y = g.BatchNorm($"{name}.bn2", g.Convolution($"{name}.conv2", y, channels, 3, padding: 1));
        if (stride != 1)
            x = g.BatchNorm($"{name}.down.1", g.Convolution($"{name}.down.0", x, channels, 1, stride));
        return g.Relu($"{name}.relu2", g.Add($"{name}.add", y, x));
    }
}
