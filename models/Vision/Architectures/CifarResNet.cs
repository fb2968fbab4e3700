namespace Pipelines.Models;

/// <summary>
/// The CIFAR networks of He et al. (arXiv:1512.03385, section 4.2): three stages of 16, 32 and 64 channels; tensors carry the
/// names of akamaster's implementation. Shortcut A pads with zeros, B projects.
/// </summary>
internal static class CifarResNet
{
    public static VisionGraph Build(ConfigFields fields, int imageSize, int classes)
    {
        var depth = fields.Size("depth");
        if (depth < 8 || (depth - 2) % 6 != 0)
            throw fields.Wrong("depth", fields.Json["depth"]!, "6 n + 2: 20, 32, 44, 56, 110");
        var shortcut = fields.Text("shortcut", "A");
        if (shortcut is not ("A" or "B"))
            throw fields.Wrong("shortcut", fields.Json["shortcut"]!, "A (zero-padded channels) or B (projection)");
        var g = new GraphBuilder(imageSize);
        var x = g.Relu("relu", g.BatchNorm("bn1", g.Convolution("conv1", g.Image, 16, 3, padding: 1)));
        foreach (var stage in Enumerable.Range(1, 3))
        {
            foreach (var block in Enumerable.Range(0, (depth - 2) / 6))
                x = Block(g, x, $"layer{stage}.{block}", 8 << stage, stage > 1 && block == 0 ? 2 : 1, shortcut == "A");
        }

        g.Linear("linear", g.Flatten("flatten", g.GlobalAvgPool("avgpool", x)), classes);
        return g.Build();
    }

    private static int Block(GraphBuilder g, int x, string name, int channels, int stride, bool padded)
    {
        var y = g.Convolution($"{name}.conv1", x, channels, 3, stride, 1, inner: true);
        y = g.Relu($"{name}.relu1", g.BatchNorm($"{name}.bn1", y));
        y = g.BatchNorm($"{name}.bn2", g.Convolution($"{name}.conv2", y, channels, 3, padding: 1));
        var shortcut = stride == 1 && g.Channels(x) == channels ? x
            : padded ? g.PadShortcut($"{name}.shortcut", x, channels, stride)
            : g.BatchNorm($"{name}.shortcut.1", g.Convolution($"{name}.shortcut.0", x, channels, 1, stride));
        return g.Relu($"{name}.relu2", g.Add($"{name}.add", y, shortcut));
    }
}
