namespace Pipelines.Models;

/// <summary>MobileNetV2 of width 1 (Sandler et al., arXiv:1801.04381, table 2); tensors carry torchvision's names.</summary>
internal static class MobileNetV2
{
    // Expansion, channels, blocks, stride of the first.
    private static readonly (int Expansion, int Channels, int Blocks, int Stride)[] Settings =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    public static VisionGraph Build(ConfigFields fields, int imageSize, int classes)
    {
        var g = new GraphBuilder(imageSize);
        var x = g.Relu6("features.0.2", g.BatchNorm("features.0.1", g.Convolution("features.0.0", g.Image, 32, 3, 2, 1)));
        var index = 1;
        foreach (var (expansion, channels, blocks, stride) in Settings)
        {
            foreach (var block in Enumerable.Range(0, blocks))
                x = Block(g, x, $"features.{index++}", expansion, channels, block == 0 ? stride : 1);
        }

        x = g.Convolution($"features.{index}.0", x, 1280, 1);
        x = g.Relu6($"features.{index}.2", g.BatchNorm($"features.{index}.1", x));
        x = g.Dropout("classifier.0", g.Flatten("flatten", g.GlobalAvgPool("avgpool", x)), fields.Number("dropout", 0.2));
        g.Linear("classifier.1", x, classes);
        return g.Build();
    }

    private static int Block(GraphBuilder g, int x, string name, int expansion, int channels, int stride)
    {
        var (y, at) = (x, 0);
        if (expansion != 1)
            y = Activated(g, $"{name}.conv.{at++}", part => g.Convolution(part, x, expansion * g.Channels(x), 1, inner: true));
        y = Activated(g, $"{name}.conv.{at++}", part => g.Depthwise(part, y, 3, stride, 1));
        y = g.BatchNorm($"{name}.conv.{at + 1}", g.Convolution($"{name}.conv.{at}", y, channels, 1));
        return stride == 1 && g.Channels(x) == channels ? g.Add($"{name}.add", x, y) : y;
    }

    private static int Activated(GraphBuilder g, string name, Func<string, int> convolution) =>
        g.Relu6($"{name}.2", g.BatchNorm($"{name}.1", convolution($"{name}.0")));
}
