namespace Pipelines.Models;

/// <summary>
/// ResNet-18 to -152 (He et al., arXiv:1512.03385), a bottleneck's stride on its 3 × 3 convolution; tensors carry
/// torchvision's names.
/// </summary>
internal static class ImageNetResNet
{
    private static readonly Dictionary<int, (bool Bottleneck, int[] Blocks)> Depths = new()
    {
        [18] = (false, [2, 2, 2, 2]),
        [34] = (false, [3, 4, 6, 3]),
        [50] = (true, [3, 4, 6, 3]),
        [101] = (true, [3, 4, 23, 3]),
        [152] = (true, [3, 8, 36, 3]),
    };

    public static VisionGraph Build(ConfigFields fields, int imageSize, int classes)
    {
        if (!Depths.TryGetValue(fields.Size("depth"), out var depth))
            throw fields.Wrong("depth", fields.Json["depth"]!, string.Join(", ", Depths.Keys));
        var g = new GraphBuilder(imageSize);
        var x = g.Relu("relu", g.BatchNorm("bn1", g.Convolution("conv1", g.Image, 64, 7, 2, 3)));
        x = g.MaxPool("maxpool", x, 3, 2, 1);
        foreach (var (stage, blocks) in depth.Blocks.Index())
        {
            foreach (var block in Enumerable.Range(0, blocks))
                x = Block(g, x, $"layer{stage + 1}.{block}", 64 << stage, stage > 0 && block == 0 ? 2 : 1, depth.Bottleneck);
        }

        g.Linear("fc", g.Flatten("flatten", g.GlobalAvgPool("avgpool", x)), classes);
        return g.Build();
    }

    private static int Block(GraphBuilder g, int x, string name, int planes, int stride, bool bottleneck)
    {
        var channels = bottleneck ? 4 * planes : planes;
        var y = bottleneck
            ? g.Convolution($"{name}.conv1", x, planes, 1, inner: true)
            : g.Convolution($"{name}.conv1", x, planes, 3, stride, 1, inner: true);
        y = g.Relu($"{name}.relu1", g.BatchNorm($"{name}.bn1", y));
        y = bottleneck
            ? g.Convolution($"{name}.conv2", y, planes, 3, stride, 1, inner: true)
            : g.Convolution($"{name}.conv2", y, planes, 3, padding: 1);
        y = g.BatchNorm($"{name}.bn2", y);
        if (bottleneck)
            y = g.BatchNorm($"{name}.bn3", g.Convolution($"{name}.conv3", g.Relu($"{name}.relu2", y), channels, 1));
        if (stride != 1 || g.Channels(x) != channels)
            x = g.BatchNorm($"{name}.downsample.1", g.Convolution($"{name}.downsample.0", x, channels, 1, stride));
        return g.Relu($"{name}.relu", g.Add($"{name}.add", y, x));
    }
}
