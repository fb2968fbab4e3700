using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>A selector with the feature maps that it reads.</summary>
public sealed record ExplainedNetwork(Selector Selector, FeatureMaps Maps) : IDisposable
{
    /// <summary>Where a network looks, and what it answers.</summary>
    /// <param name="images">[N, 3, H, W], normalised.</param>
    /// <param name="labels">[N], int64.</param>
    /// <param name="masks">Of the network's channels; null for none.</param>
    /// <returns>Logits [N, classes], and m_x, m_y, m_σ: [N, 3].</returns>
    public (Tensor Logits, Tensor Parameters) Explain(ImageClassifier network, Tensor images, Tensor labels, ChannelMasks? masks = null)
    {
        using var scope = NewDisposeScope();
        var (logits, maps) = Maps.Run(network, images, masks);
        return (logits.MoveToOuterDisposeScope(), Selector.Forward(maps, labels).MoveToOuterDisposeScope());
    }

    /// <summary>Where a network looks in each of some images to tell its label, in their order.</summary>
    /// <returns>[images, 3], without gradients.</returns>
    public Tensor All(ImageClassifier network, ImageSet images, int batch, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var parts = new List<Tensor>();
        for (var start = 0L; start < images.Count; start += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var part = ImageBatch.Of(network, images, start, batch);
            parts.Add(Explain(network, part.Inputs, part.Labels).Parameters.MoveToOuterDisposeScope());
        }

        return cat([.. parts]).MoveToOuterDisposeScope();
    }

    public void Dispose() => Selector.Dispose();
}
