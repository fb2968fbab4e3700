using Pipelines.Activities.Allocation;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Data;

/// <summary>What is taken of a source.</summary>
/// <param name="Classes">Names or numbers, in the order that they are to have; null for all.</param>
/// <param name="PerClass">Images of each class, drawn by the seed; null for all.</param>
/// <param name="Size">Width and height that the square in the middle of every image is brought to; null for theirs, which must be one.</param>
/// <param name="Grey">Whether to one channel; otherwise images from folders, which may be of both kinds, have three.</param>
public sealed record ImageChoice(IReadOnlyList<string>? Classes, int? PerClass, int? Size, bool Grey, long Seed);

/// <summary>From a source of images to a set.</summary>
public static class ImageReading
{
    /// <exception cref="StageException">A class is absent or empty, an image is damaged or of another size.</exception>
    public static ImageSet Read(ImageSource source, ImageChoice choice, ReportProgress report, CancellationToken cancellation)
    {
        var (rows, labels, classes) = Choose(source, choice);
        using var scope = NewDisposeScope();
        Tensor? pixels = null;
        string? first = null;
        for (var i = 0; i < rows.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var image = Fit(source.Read(rows[i]), choice, source is FolderSource);
            pixels ??= empty([rows.Length, image.Channels, image.Height, image.Width], ScalarType.Byte);
            first ??= $"{source.Place(rows[i])} is {image.Size}";
            using var place = pixels.narrow(0, i, 1);
            if (!place.shape.AsSpan(1).SequenceEqual([image.Channels, image.Height, image.Width]))
            {
                throw new StageException(
                    $"{source.Place(rows[i])} is {image.Size}, {first}: expected one size (width × height × channels): set 'size'");
            }

            image.Pixels.CopyTo(place.bytes);
            report(i + 1, rows.Length, "image");
        }

        var set = ImageSet.Of(pixels!, tensor(labels), Named(source, choice), classes);
        set.Pixels.MoveToOuterDisposeScope();
        set.Labels.MoveToOuterDisposeScope();
        return set;
    }

    /// <summary>Some of each class, drawn by the seed, in their order.</summary>
    /// <param name="labels">Of each image.</param>
    /// <param name="share">How many of a class that has so many; all where it is as many.</param>
    internal static bool[] Draw(IReadOnlyList<int> labels, int classes, Func<int, int, int> share, long seed)
    {
        var drawn = new bool[labels.Count];
        var ofClass = labels.Index().ToLookup(one => one.Item, one => one.Index);
        for (var label = 0; label < classes; label++)
        {
            var rows = ofClass[label].ToArray();
            // By a stream of its own, so that what is drawn of one class does not depend on the others.
            var random = new SplitMix((ulong)seed, (ulong)label);
            for (var i = 0; i < share(label, rows.Length); i++)
            {
                var at = i + random.Below(rows.Length - i);
                (rows[i], rows[at]) = (rows[at], rows[i]);
                drawn[rows[i]] = true;
            }
        }

        return drawn;
    }

    private static (int[] Rows, long[] Labels, IReadOnlyList<string> Classes) Choose(ImageSource source, ImageChoice choice)
    {
        var wanted = choice.Classes?.Select(name => ClassNames.Find(source.Classes, name)
            ?? throw new StageException($"{source.Origin} has no class '{name}': expected one of {string.Join(", ", source.Classes)}")).ToList();
        if (wanted is not null && wanted.GroupBy(label => label).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new StageException($"the class '{source.Classes[twice.Key]}' is named twice");
        wanted ??= [.. Enumerable.Range(0, source.Classes.Count)];
        foreach (var label in wanted)
        {
            var has = source.Labels.Count(one => one == label);
            // A known set that is read as it is may lack some; what is asked for may not.
            if (has < (choice.PerClass ?? (choice.Classes is null ? 0 : 1)))
                throw new StageException($"{source.Origin}: the class '{source.Classes[label]}' has {has} images: expected at least {choice.PerClass ?? 1}");
        }

        var drawn = Draw(source.Labels, source.Classes.Count, (_, has) => Math.Min(has, choice.PerClass ?? has), choice.Seed);
        int[] rows = [.. Enumerable.Range(0, drawn.Length).Where(row => drawn[row] && wanted.Contains(source.Labels[row]))];
        return (rows, [.. rows.Select(row => (long)wanted.IndexOf(source.Labels[row]))], [.. wanted.Select(label => source.Classes[label])]);
    }

    private static RawImage Fit(RawImage image, ImageChoice choice, bool mixed)
    {
        var channels = choice.Grey ? 1 : mixed ? 3 : image.Channels;
        var size = choice.Size ?? 0;
        if (channels == image.Channels && (choice.Size is null || (size, size) == (image.Height, image.Width)))
            return image;
        using var scope = NewDisposeScope();
        var pixels = tensor(image.Pixels, [1, image.Channels, image.Height, image.Width]).to(ScalarType.Float32);
        if (image.Channels == 3 && channels == 1)
            pixels = (pixels * tensor([0.299f, 0.587f, 0.114f]).view(1, 3, 1, 1)).sum([1L], keepdim: true);
        else if (image.Channels == 1 && channels == 3)
            pixels = pixels.expand(1, 3, image.Height, image.Width);
        if (choice.Size is not null)
        {
            // The square in the middle; each new pixel is the mean of the area that it covers.
            var side = Math.Min(image.Height, image.Width);
            pixels = pixels.narrow(2, (image.Height - side) / 2, side).narrow(3, (image.Width - side) / 2, side);
            pixels = nn.functional.adaptive_avg_pool2d(pixels, size);
        }

        var fitted = pixels.round().clamp(0, 255).to(ScalarType.Byte).contiguous();
        return new RawImage(channels, (int)fitted.shape[2], (int)fitted.shape[3], fitted.bytes.ToArray());
    }

    private static string Named(ImageSource source, ImageChoice choice) => string.Concat(
        source.Origin,
        choice.Classes is null ? "" : $", of {string.Join(", ", choice.Classes)}",
        choice.PerClass is null ? "" : $", {choice.PerClass} of each class by seed {choice.Seed}",
        choice.Size is null ? "" : $", at {choice.Size}×{choice.Size}");
}
