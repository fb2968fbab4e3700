using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>Labelled images, read from the formats that they come in, kept as an artifact (<see cref="ImageFolder"/>).</summary>
[Description("Labelled images: CIFAR's and MNIST's files, or a folder of PNG files for each class")]
public sealed class ImageData : Activity<None, ImageData.Parameters, ImageData.Outputs>
{
    public sealed record Parameters(
        [property: Description("A file, the folder of a known set, or one with a folder for each class")] string Path,
        [property: Description("What lies there")] ImageFormat Format = ImageFormat.Auto,
        [property: Description("Which part, when the path is the folder of CIFAR or MNIST")] ImagePart Part = ImagePart.Train,
        [property: Description("The file of labels, with IDX; the one beside it when absent")] string? Labels = null,
        [property: Description("CIFAR-100's 20 coarse classes in place of its 100")] bool Coarse = false,
        [property: Description("Names or numbers of the classes to take, with commas between, in the order that they are to have; all when absent")]
        string? Classes = null,
        [property: Range(1, int.MaxValue), Description("Images of each class, drawn by the seed; all when absent")] int? PerClass = null,
        [property: Range(4, 1024), Description("Width and height to bring the square in the middle of every image to; without it all must have one size")] int? Size = null,
        [property: Description("One channel in place of three")] bool Grey = false,
        [property: Description("Of what is drawn of each class")] long Seed = 0);

    public sealed record Outputs(Images Images);

    public override string Kind => "data.images";

    public override string? Source(Parameters parameters) =>
        FileState.Deep(parameters.Path) + (parameters.Labels is null ? "" : $"\n{FileState.Of(parameters.Labels)}");

    public override async Task<Outputs> RunAsync(
        None inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var source = ImageSources.Open(parameters.Path, parameters.Format, parameters.Part, parameters.Labels, parameters.Coarse);
        var classes = parameters.Classes?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (classes is [])
            throw new StageException("'classes' names no class: leave it out for all");
        using var images = ImageReading.Read(
            source, new ImageChoice(classes, parameters.PerClass, parameters.Size, parameters.Grey, parameters.Seed), stage.Report, cancellation);
        stage.Log($"{images.Count} images of {images.Info.Classes.Count} classes, {images.Info.Width}×{images.Info.Height}×{images.Info.Channels}");
        return new Outputs(await ImageFolder.SaveAsync(stage.Artifacts, images, cancellation));
    }
}
