using Pipelines.Activities.Data;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>Image classifiers from artifacts and back.</summary>
public static class StageClassifiers
{
    /// <summary>On the stage's device, in evaluation mode.</summary>
    /// <exception cref="StageException">It is no image classifier.</exception>
    public static async Task<ImageClassifier> LoadClassifierAsync(
        this StageContext stage, Checkpoint checkpoint, CancellationToken cancellation)
    {
        if (!ImageConfig.Knows(checkpoint.Architecture))
            throw new StageException($"the model is a language model ({checkpoint.Architecture}): this stage works on image classifiers");
        var folder = await stage.Artifacts.OpenAsync(checkpoint.Hash, cancellation);
        return VisionFolder.Load(folder, device(stage.Device));
    }

    /// <summary>Grey images go through as coloured ones.</summary>
    /// <exception cref="StageException">The images are of another size, or of more classes than the network tells apart.</exception>
    public static void CheckFits(this ImageClassifier network, ImageInfo images)
    {
        var size = network.Config.ImageSize;
        if (images.Channels is not (1 or VisionGraph.ImageChannels) || (images.Height, images.Width) != (size, size))
        {
            throw new StageException(
                $"the images of {images.Origin} are {images.Channels} × {images.Height} × {images.Width}: {network.Config.Architecture} takes 3 × {size} × {size}: set 'size' of data.images");
        }

        if (images.Classes.Count > network.Config.NumClasses)
            throw new StageException($"the images of {images.Origin} are of {images.Classes.Count} classes: {network.Config.Architecture} tells {network.Config.NumClasses} apart");
    }

    /// <summary>A checkpoint of the network as it is now.</summary>
    public static async Task<Checkpoint> SaveClassifierAsync(
        this StageContext stage, ImageClassifier network, CancellationToken cancellation)
    {
        await using var draft = stage.Artifacts.Begin();
        VisionFolder.Save(network, draft.Folder);
        return new Checkpoint(await draft.CommitAsync(cancellation), network.Config.Architecture);
    }
}
