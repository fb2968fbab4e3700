using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Data;

/// <summary>What is in an image artifact; its <c>images.json</c>.</summary>
/// <param name="Origin">The file or folder they came from, and what was taken of it, for messages.</param>
/// <param name="Classes">Names by label.</param>
/// <param name="Counts">Images of each class.</param>
/// <param name="Sha256">Of the pixels and then the labels, as they lie in memory.</param>
public sealed record ImageInfo(
    string Origin, IReadOnlyList<string> Classes, int Channels, int Height, int Width, IReadOnlyList<long> Counts, string Sha256)
{
    public long Count => Counts.Sum();

    /// <summary>The label of a class by its name, or by its number.</summary>
    /// <exception cref="StageException">There is none.</exception>
    public int Label(string name) => ClassNames.Find(Classes, name)
        ?? throw new StageException($"{Origin} has no class '{name}': expected one of {string.Join(", ", Classes)}");
}

/// <summary>Labelled images of one size, whole in memory or as views of their file.</summary>
/// <param name="Pixels">[N, channels, height, width], uint8, red first.</param>
/// <param name="Labels">[N], int64.</param>
public sealed record ImageSet(Tensor Pixels, Tensor Labels, ImageInfo Info) : IDisposable
{
    public long Count => Pixels.shape[0];

    /// <summary>Some of them, in this order.</summary>
    public ImageSet Choose(IReadOnlyList<long> rows, string origin)
    {
        using var index = tensor(rows.ToArray());
        return Of(Pixels.index_select(0, index), Labels.index_select(0, index), origin, Info.Classes);
    }

    /// <summary>Counts and hashes them.</summary>
    public static ImageSet Of(Tensor pixels, Tensor labels, string origin, IReadOnlyList<string> classes)
    {
        var counts = new long[classes.Count];
        foreach (var label in labels.data<long>())
            counts[label]++;
        var shape = pixels.shape;
        return new ImageSet(pixels, labels, new ImageInfo(
            origin, classes, (int)shape[1], (int)shape[2], (int)shape[3], counts, ImageHash.Of(pixels, labels)));
    }

    public void Dispose()
    {
        Pixels.Dispose();
        Labels.Dispose();
    }
}

/// <summary>Names of classes, as users write them.</summary>
internal static class ClassNames
{
    /// <returns>Its label; null where neither a name nor a number fits.</returns>
    public static int? Find(IReadOnlyList<string> classes, string name)
    {
        for (var label = 0; label < classes.Count; label++)
        {
            if (string.Equals(classes[label], name, StringComparison.OrdinalIgnoreCase))
                return label;
        }

        return int.TryParse(name, out var number) && number >= 0 && number < classes.Count ? number : null;
    }
}
