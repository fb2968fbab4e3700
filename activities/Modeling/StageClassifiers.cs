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

    /// <summary>A checkpoint of the network as it is now.</summary>
    public static async Task<Checkpoint> SaveClassifierAsync(
        this StageContext stage, ImageClassifier network, CancellationToken cancellation)
    {
        await using var draft = stage.Artifacts.Begin();
        VisionFolder.Save(network, draft.Folder);
        return new Checkpoint(await draft.CommitAsync(cancellation), network.Config.Architecture);
    }
}
