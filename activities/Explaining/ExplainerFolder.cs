using Pipelines.Activities.Gates;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>What is in an explainer artifact beside its tensors; its <c>explainer.json</c>.</summary>
/// <param name="Model">The hash of the checkpoint that it explains.</param>
/// <param name="ImageSize">Height and width of the images.</param>
/// <param name="Classes">How many it tells apart.</param>
/// <param name="Maps">Nodes of the network whose feature maps it reads, from the largest to the smallest.</param>
public sealed record ExplainerInfo(string Model, string Architecture, int ImageSize, int Classes, IReadOnlyList<string> Maps);

/// <summary>An explainer artifact: <c>explainer.safetensors</c> with the selector's tensors, and <c>explainer.json</c>.</summary>
public static class ExplainerFolder
{
    private const string TensorFile = "explainer.safetensors";
    private const string InfoFile = "explainer.json";

    public static async Task<Explainer> SaveExplainerAsync(
        this StageContext stage, ImageClassifier network, ExplainedNetwork explained, Checkpoint model, CancellationToken cancellation)
    {
        var info = new ExplainerInfo(
            model.Hash, network.Config.Architecture, network.Config.ImageSize, network.Config.NumClasses,
            [.. explained.Maps.Nodes.Select(node => node.Name)]);
        await using var draft = stage.Artifacts.Begin();
        SafetensorsWriter.Write(
            Path.Combine(draft.Folder, TensorFile), explained.Selector.Named.Select(one => TensorSource.Of(one.Name, one.Tensor.detach())));
        await File.WriteAllTextAsync(Path.Combine(draft.Folder, InfoFile), Json.Pretty(info), cancellation);
        return new Explainer(await draft.CommitAsync(cancellation));
    }

    /// <exception cref="StageException">It was trained for another model, or reads other feature maps.</exception>
    public static async Task<ExplainedNetwork> OpenExplainerAsync(
        this StageContext stage, Explainer explainer, ImageClassifier network, Checkpoint model, CancellationToken cancellation)
    {
        var folder = await stage.Artifacts.OpenAsync(explainer.Hash, cancellation);
        var info = Json.Read<ExplainerInfo>(await File.ReadAllTextAsync(Path.Combine(folder, InfoFile), cancellation));
        if (info.Model != model.Hash)
            throw new StageException($"this explainer was trained for model {info.Model}, but this is model {model.Hash}: train one for the dense model");
        var maps = new FeatureMaps(network.Graph);
        if (!maps.Nodes.Select(node => node.Name).SequenceEqual(info.Maps))
            throw new StageException($"this explainer reads {string.Join(", ", info.Maps)}, this version reads {string.Join(", ", maps.Nodes.Select(node => node.Name))}: train it anew");
        return new ExplainedNetwork(Read(folder, network, maps), maps);
    }

    private static Selector Read(string folder, ImageClassifier network, FeatureMaps maps)
    {
        using var scope = NewDisposeScope();
        using var generator = GateNoise.At(0, -1);
        using var file = SafetensorsFile.Open(Path.Combine(folder, TensorFile));
        var selector = Selector.Create(network, maps, generator);
        foreach (var (name, tensor) in selector.Named)
            tensor.copy_(file.View(name));
        return selector;
    }
}
