using System.ComponentModel;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// A model of either family as methods that zero weights see it: the weights they choose from, in the order of the model. Of
/// language models those of the blocks' linears; of image classifiers convolutions and linears. What is zero is the mask.
/// </summary>
internal sealed class PrunableModel : IDisposable
{
    private readonly LoadedModel? language;
    private readonly ImageClassifier? network;

    private PrunableModel(LoadedModel? language, ImageClassifier? network, IReadOnlyList<TensorSlot> weights) =>
        (this.language, this.network, Weights) = (language, network, weights);

    public IReadOnlyList<TensorSlot> Weights { get; }

    public bool IsClassifier => network is not null;

    /// <param name="layers">Of a classifier.</param>
    public static async Task<PrunableModel> LoadAsync(
        StageContext stage, Checkpoint checkpoint, PrunedLayers layers, CancellationToken cancellation)
    {
        if (!ImageConfig.Knows(checkpoint.Architecture))
        {
            var model = await stage.LoadModelAsync(checkpoint, cancellation);
            return new PrunableModel(model, null, [.. model.Network.Linears().Select(Slot)]);
        }

        var network = await stage.LoadClassifierAsync(checkpoint, cancellation);
        return new PrunableModel(null, network, Of(network, layers));
    }

    /// <summary>The weights of a classifier; its biases and norms are never zeroed.</summary>
    public static IReadOnlyList<TensorSlot> Of(ImageClassifier network, PrunedLayers layers) =>
    [
        .. network.Graph.Nodes
            .Where(node => node.Operation is Operation.Convolution || (layers == PrunedLayers.All && node.Operation is Operation.Linear))
            .Select(node => network.Slot(node.Weight)),
    ];

    /// <summary>The share of zeros in <see cref="Weights"/>.</summary>
    public double Sparsity() => (double)Weights.Sum(Zeros) / Weights.Sum(weight => weight.Value.numel());

    public static long Zeros(TensorSlot weight)
    {
        using var count = weight.Value.count_nonzero();
        return weight.Value.numel() - count.ToInt64();
    }

    public Task<Checkpoint> SaveAsync(StageContext stage, CancellationToken cancellation) => language is null
        ? stage.SaveClassifierAsync(network!, cancellation)
        : stage.SaveModelAsync(language, cancellation);

    public void Dispose()
    {
        language?.Dispose();
        network?.Dispose();
    }

    private static TensorSlot Slot(Linear linear) => new(linear.Name, () => linear.Weight, linear.SetWeight);
}

/// <summary>Which weights of an image classifier are chosen from.</summary>
public enum PrunedLayers
{
    [Description("Those of convolutions and of the classifier at the end")]
    All,

    [Description("Those of convolutions")]
    Convolutions,
}
