using System.ComponentModel;

namespace Pipelines.Activities.Evaluation;

/// <summary>What an attack looks at of a classifier's answer to one image.</summary>
public enum MembershipFeature
{
    [Description("Whether the answer is right")]
    Correctness,

    [Description("The probability of the image's class")]
    Confidence,

    [Description("The entropy of the answer")]
    Entropy,

    [Description("The entropy that counts the image's class for and the others against (Song and Mittal, arXiv:2003.10595)")]
    ModifiedEntropy,

    [Description("The probabilities of all classes")]
    Probabilities,
}

/// <summary>Those features of probabilities.</summary>
public static class MembershipFeatures
{
    // No logarithm is infinite then.
    private const double Least = 1e-30;

    /// <param name="probabilities">Of all classes; they sum to 1.</param>
    /// <param name="label">The image's class.</param>
    public static double[] Of(MembershipFeature feature, IReadOnlyList<double> probabilities, int label) => feature switch
    {
        MembershipFeature.Correctness => [Best(probabilities) == label ? 1 : 0],
        MembershipFeature.Confidence => [probabilities[label]],
        MembershipFeature.Entropy => [Entropy(probabilities)],
        MembershipFeature.ModifiedEntropy => [ModifiedEntropy(probabilities, label)],
        _ => [.. probabilities],
    };

    /// <summary><c>−Σ p log p</c>, in nats.</summary>
    public static double Entropy(IReadOnlyList<double> probabilities) => -probabilities.Sum(p => p * Log(p));

    /// <summary><c>−(1 − p_y) log p_y − Σ_{i≠y} p_i log(1 − p_i)</c>: 0 for a sure right answer, large for a sure wrong one.</summary>
    public static double ModifiedEntropy(IReadOnlyList<double> probabilities, int label)
    {
        var sum = -(1 - probabilities[label]) * Log(probabilities[label]);
        for (var i = 0; i < probabilities.Count; i++)
            sum -= i == label ? 0 : probabilities[i] * Log(1 - probabilities[i]);
        return sum;
    }

    /// <summary>Of equals the first, as in <see cref="Classifying.ClassificationTally"/>.</summary>
    public static int Best(IReadOnlyList<double> probabilities)
    {
        var best = 0;
        for (var i = 1; i < probabilities.Count; i++)
            best = probabilities[i] > probabilities[best] ? i : best;
        return best;
    }

    private static double Log(double value) => Math.Log(Math.Max(value, Least));
}
