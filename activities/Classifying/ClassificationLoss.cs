using static TorchSharp.torch;

namespace Pipelines.Activities.Classifying;

/// <summary>Cross-entropy of classes.</summary>
public static class ClassificationLoss
{
    /// <summary>
    /// With label smoothing ε (Szegedy et al., arXiv:1512.00567): (1 − ε) of the target on its class, ε spread over all. Of a
    /// mixture: of both labels, by their shares.
    /// </summary>
    /// <param name="logits">[B, classes].</param>
    /// <returns>A scalar: the mean over the batch.</returns>
    public static Tensor Of(Tensor logits, ImageBatch batch, double smoothing)
    {
        using var scope = NewDisposeScope();
        var loss = nn.functional.cross_entropy(logits, batch.Labels, label_smoothing: smoothing);
        if (batch.Others is { } others)
            loss = loss * batch.Share + nn.functional.cross_entropy(logits, others, label_smoothing: smoothing) * (1 - batch.Share);
        return loss.MoveToOuterDisposeScope();
    }
}
