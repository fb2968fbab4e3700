using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>
/// An image artifact: <c>images.safetensors</c> with <c>pixels</c> [N, channels, height, width] (uint8, red first, row by
/// row) and <c>labels</c> [N] (int64), and <c>images.json</c> (<see cref="ImageInfo"/>).
/// </summary>
public static class ImageFolder
{
    private const string TensorFile = "images.safetensors";
    private const string InfoFile = "images.json";
    private const string Pixels = "pixels";
    private const string Labels = "labels";

    public static async Task<Images> SaveAsync(IArtifacts artifacts, ImageSet images, CancellationToken cancellation)
    {
        await using var draft = artifacts.Begin();
        SafetensorsWriter.Write(
            Path.Combine(draft.Folder, TensorFile),
            [TensorSource.Of(Pixels, images.Pixels), TensorSource.Of(Labels, images.Labels)]);
        await File.WriteAllTextAsync(Path.Combine(draft.Folder, InfoFile), Json.Pretty(images.Info), cancellation);
        return new Images(await draft.CommitAsync(cancellation), images.Count, images.Info.Classes.Count);
    }

    /// <summary>Views of the artifact's file: nothing is read before it is used.</summary>
    public static async Task<ImageSet> OpenAsync(IArtifacts artifacts, Images images, CancellationToken cancellation)
    {
        var folder = await artifacts.OpenAsync(images.Hash, cancellation);
        var info = Json.Read<ImageInfo>(await File.ReadAllTextAsync(Path.Combine(folder, InfoFile), cancellation));
        using var file = SafetensorsFile.Open(Path.Combine(folder, TensorFile));
        return new ImageSet(file.View(Pixels), file.View(Labels), info);
    }
}
