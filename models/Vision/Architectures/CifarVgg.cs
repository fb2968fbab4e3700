namespace Pipelines.Models;

/// <summary>
/// VGG-16 and -19 for small images (Simonyan and Zisserman, arXiv:1409.1556, configurations D and E) with batch norm and one
/// linear; tensors carry the names of kuangliu's implementation: <c>features.0</c>, <c>features.1</c>, …, <c>classifier</c>.
/// </summary>
/// <remarks>There is no residual stream: inner are all convolutions but the first, the stem, and the last, which the classifier reads.</remarks>
internal static class CifarVgg
{
    private const int Pool = 0;

    private static readonly int[] Sixteen = [64, 64, Pool, 128, 128, Pool, 256, 256, 256, Pool, 512, 512, 512, Pool, 512, 512, 512, Pool];

    private static readonly int[] Nineteen =
        [64, 64, Pool, 128, 128, Pool, 256, 256, 256, 256, Pool, 512, 512, 512, 512, Pool, 512, 512, 512, 512, Pool];

    public static VisionGraph Build(ConfigFields fields, int imageSize, int classes)
    {
        var widths = fields.Size("depth") switch
        {
            16 => Sixteen,
            19 => Nineteen,
            _ => throw fields.Wrong("depth", fields.Json["depth"]!, "16 or 19"),
        };
        var g = new GraphBuilder(imageSize);
        var (x, at) = (g.Image, 0);
        foreach (var (index, width) in widths.Index())
        {
            if (width == Pool)
            {
                x = g.MaxPool($"features.{at++}", x, 2, 2);
                continue;
            }

            x = g.Convolution($"features.{at++}", x, width, 3, padding: 1, bias: true, inner: index > 0 && index < widths.Length - 2);
            x = g.Relu($"features.{at + 1}", g.BatchNorm($"features.{at}", x));
            at += 2;
        }

        g.Linear("classifier", g.Flatten("flatten", x), classes);
        return g.Build();
    }
}
