using static TorchSharp.torch;

namespace Pipelines.Activities.Classifying;

/// <summary>
/// Counts how right a classifier is, batch by batch, in double precision. Of classes with equal logits the first counts as
/// the likelier one, so that no answer depends on the order of a sort.
/// </summary>
public sealed class ClassificationTally(int classes)
{
    /// <summary>Of the calibration error (Guo et al., arXiv:1706.04599, equation 3).</summary>
    public const int Bins = 15;

    /// <summary>A right answer among so many counts, where there are more classes than that.</summary>
    public const int Few = 5;

    private readonly long[] images = new long[classes];
    private readonly long[] right = new long[classes];
    private readonly long[] said = new long[classes];
    private readonly (long Count, long Right, double Confidence)[] bins = new (long, long, double)[Bins];
    private long amongFew;
    private double loss;

    public long Count => images.Sum();

    /// <summary>The share whose class has the greatest logit.</summary>
    public double Top1 => (double)right.Sum() / Count;

    /// <summary>The share whose class is among the five greatest; null where there are no more than five.</summary>
    public double? Top5 => classes > Few ? (double)amongFew / Count : null;

    /// <summary>Mean cross-entropy, in nats.</summary>
    public double Loss => loss / Count;

    /// <summary>
    /// Expected calibration error: over 15 bins of the confidence (the greatest probability), each with its upper end, the
    /// mean distance of confidence and accuracy, weighed by what is in them.
    /// </summary>
    public double CalibrationError => bins.Sum(bin => Math.Abs(bin.Right - bin.Confidence)) / Count;

    /// <summary>The bins of <see cref="CalibrationError"/>, from the least confidence to the greatest.</summary>
    public IReadOnlyList<ConfidenceBin> Confidences =>
        [.. bins.Select(bin => new ConfidenceBin(bin.Count, bin.Right, bin.Count == 0 ? null : bin.Confidence / bin.Count))];

    public IReadOnlyList<ClassScore> Classes(IReadOnlyList<string> names) =>
        [.. names.Select((name, label) => new ClassScore(name, images[label], right[label], said[label]))];

    /// <param name="logits">[B, classes].</param>
    /// <param name="labels">[B], int64.</param>
    /// <returns>Whether all of them are numbers.</returns>
    public bool Add(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var values = logits.to(ScalarType.Float64).cpu().contiguous();
        var truth = labels.cpu().data<long>().ToArray();
        var row = values.data<double>().ToArray();
        for (var i = 0; i < truth.Length; i++)
        {
            if (!Add(row.AsSpan(i * classes, classes), (int)truth[i]))
                return false;
        }

        return true;
    }

    private bool Add(ReadOnlySpan<double> logits, int label)
    {
        var best = 0;
        var better = 0;
        for (var one = 0; one < logits.Length; one++)
        {
            if (!double.IsFinite(logits[one]))
                return false;
            if (logits[one] > logits[best])
                best = one;
            if (logits[one] > logits[label] || (one < label && logits[one] == logits[label]))
                better++;
        }

        var sum = 0.0;
        foreach (var one in logits)
            sum += Math.Exp(one - logits[best]);
        var confidence = 1 / sum;
        var bin = (int)Math.Ceiling(confidence * Bins) - 1;
        var isRight = best == label;
        images[label]++;
        said[best]++;
        right[label] += isRight ? 1 : 0;
        amongFew += better < Few ? 1 : 0;
        loss += logits[best] - logits[label] + Math.Log(sum);
        bins[bin] = (bins[bin].Count + 1, bins[bin].Right + (isRight ? 1 : 0), bins[bin].Confidence + confidence);
        return true;
    }
}

/// <summary>How a classifier does on one class.</summary>
/// <param name="Images">That are of it.</param>
/// <param name="Right">Of those, that were recognised.</param>
/// <param name="Said">Images of any class that were taken for it.</param>
public sealed record ClassScore(string Name, long Images, long Right, long Said);

/// <summary>Images that a classifier was about as sure of.</summary>
/// <param name="Right">Of those, that were recognised.</param>
/// <param name="Confidence">The mean of its greatest probabilities; null without images.</param>
public sealed record ConfidenceBin(long Images, long Right, double? Confidence);
