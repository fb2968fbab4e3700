using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Exporting;

/// <summary>An image classifier as others load it: safetensors with the names of the usual implementation, opened again and checked.</summary>
internal static class ClassifierExport
{
    private const int Probes = 2;

    /// <param name="type">Of the parameters in the file; null for float32.</param>
    /// <returns>Whether a manifest was needed.</returns>
    /// <exception cref="StageException">What was written is not what was read, or its logits are no numbers.</exception>
    public static bool Write(string source, string folder, ScalarType? type)
    {
        using var written = VisionFolder.Load(source, CPU, type);
        var manifest = VisionFolder.Save(written, folder);
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var reopened = VisionFolder.Load(folder, CPU);
        foreach (var ((name, before), (_, after)) in Tensors(written).Zip(Tensors(reopened)))
        {
            if (!before.to(after.dtype).Equals(after))
                throw new StageException($"the export was opened again, and its tensor {name} is not the one that was written");
        }

        using var generator = new Generator(0, CPU);
        var size = written.Config.ImageSize;
        var images = empty(Probes, VisionGraph.ImageChannels, size, size).normal_(generator: generator);
        var logits = reopened.Forward(images);
        if (!logits.isfinite().all().ToBoolean())
            throw new StageException("the model's logits hold NaN or infinity: it is not exported");
        if (type is null or ScalarType.Float32 && (logits - written.Forward(images)).abs().max().ToDouble() is > 0 and var difference)
            throw new StageException($"the export was opened again and its logits differ by {difference}: expected 0");
        return manifest;
    }

    private static IEnumerable<(string Name, Tensor Tensor)> Tensors(ImageClassifier network) =>
        network.NamedParameters().Concat(network.NamedBuffers());
}
