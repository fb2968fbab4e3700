using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>
/// Divides a set of images in two: so much of each class, or of one, and the rest. What is held out to choose by, or is to
/// be forgotten, is never trained on by mistake.
/// </summary>
[Description("Takes a share of each class, or a class, out of a set of images: to hold out, or to forget")]
public sealed class SplitImages : Activity<SplitImages.Inputs, SplitImages.Parameters, SplitImages.Outputs>
{
    public sealed record Inputs(Images Images);

    public sealed record Parameters(
        [property: Range(0.0, 1.0), Description("The share of each class that is taken, rounded to whole images")] double Fraction = 0.1,
        [property: Description("The only class that is taken from, by name or number; all when absent")] string? Class = null,
        [property: Description("Of the draw")] long Seed = 0);

    /// <param name="Part">What was taken.</param>
    /// <param name="Rest">All others. Both keep the names and numbers of all classes.</param>
    public sealed record Outputs(Images Part, Images Rest);

    public override string Kind => "data.split-images";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Images, cancellation);
        var (part, rest) = Split(images, parameters.Fraction, parameters.Class, parameters.Seed);
        using (part)
        using (rest)
        {
            stage.Log($"{part.Count} images taken, {rest.Count} left");
            return new Outputs(
                await ImageFolder.SaveAsync(stage.Artifacts, part, cancellation), await ImageFolder.SaveAsync(stage.Artifacts, rest, cancellation));
        }
    }

    /// <exception cref="StageException">There is no such class, or nothing would be taken or left.</exception>
    public static (ImageSet Part, ImageSet Others) Split(ImageSet images, double fraction, string? only, long seed)
    {
        var chosen = only is null ? (int?)null : images.Info.Label(only);
        int[] labels = [.. images.Labels.data<long>().Select(label => (int)label)];
        var taken = ImageReading.Draw(
            labels, images.Info.Classes.Count,
            (label, has) => chosen is null || chosen == label ? (int)Math.Round(has * fraction, MidpointRounding.AwayFromZero) : 0, seed);
        var rows = Enumerable.Range(0, labels.Length).ToLookup(row => taken[row], row => (long)row);
        var what = $"{fraction:0.####} of {(only is null ? "each class" : images.Info.Classes[chosen!.Value])} by seed {seed}";
        if (!rows[true].Any() || !rows[false].Any())
            throw new StageException($"{what} is {rows[true].Count()} of {labels.Length} images: expected some, and some left");
        return (
            images.Choose([.. rows[true]], $"{what}, of {images.Info.Origin}"),
            images.Choose([.. rows[false]], $"what is left without {what}, of {images.Info.Origin}"));
    }
}
