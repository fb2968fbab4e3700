using Pipelines.Activities.Classifying;
using Pipelines.Activities.Gates;
using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>
/// Where a classifier looks, by its gradient (Simonyan et al., arXiv:1312.6034, section 3): at each pixel the largest over the
/// colours of |∂ logit of a class / ∂ pixel|. Of any classifier, whatever was cut of it.
/// </summary>
/// <param name="Pool">Squares of so many pixels each way are averaged; 1 for single pixels.</param>
/// <param name="Samples">Noisy copies of an image that the gradient is averaged over (SmoothGrad, arXiv:1706.03825); 0 for the image itself.</param>
/// <param name="Noise">Their deviation, as a share of the image's range.</param>
/// <param name="Seed">Of the noise: that of an image is the same for every network.</param>
public sealed record GradientMaps(int Pool, int Samples, double Noise, long Seed)
{
    /// <summary>Gradients with respect to pixels between 0 and 1: networks that are normalised differently are comparable.</summary>
    /// <param name="pixels">[N, C, H, W], uint8.</param>
    /// <param name="classes">Which logit of each: [N], int64.</param>
    /// <param name="first">The number of the first image, that noise is drawn by.</param>
    /// <returns>[N, H / pool, W / pool].</returns>
    public Tensor Of(ImageClassifier network, Tensor pixels, Tensor classes, long first)
    {
        using var scope = NewDisposeScope();
        var unit = pixels.to(network.Device).to(ScalarType.Float32) / 255.0;
        var gradient = Samples == 0
            ? Gradient(network, unit, classes)
            : Enumerable.Range(0, Samples).Aggregate(
                zeros_like(unit), (sum, sample) => sum + Gradient(network, unit + Drawn(unit, first, sample), classes)) / Samples;
        var largest = gradient.abs().amax([1], keepdim: true);
        return nn.functional.avg_pool2d(largest, Pool).squeeze(1).MoveToOuterDisposeScope();
    }

    private static Tensor Gradient(ImageClassifier network, Tensor unit, Tensor classes)
    {
        using var scope = NewDisposeScope();
        var input = unit.detach().requires_grad_();
        var logits = network.Forward(Normalization.Of(network).Apply(input));
        return autograd.grad([logits.gather(1, classes.unsqueeze(1)).sum()], [input])[0].MoveToOuterDisposeScope();
    }

    private Tensor Drawn(Tensor unit, long first, int sample)
    {
        using var scope = NewDisposeScope();
        var noise = unit.unbind(0).Select((image, index) =>
        {
            using var generator = GateNoise.At(Seed, (first + index) * Samples + sample);
            var range = image.max() - image.min();
            return empty(image.shape).normal_(generator: generator).to(image.device) * range * Noise;
        });
        return stack([.. noise]).MoveToOuterDisposeScope();
    }
}
