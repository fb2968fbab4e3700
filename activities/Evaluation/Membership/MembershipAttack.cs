namespace Pipelines.Activities.Evaluation;

/// <summary>
/// Asks of images whether a classifier was trained on them: a support vector machine on one feature of its answers, trained on
/// images that it was trained on and others that it was not (Jia et al., arXiv:2304.04934).
/// </summary>
public static class MembershipAttack
{
    public const double Cost = 3;

    /// <param name="members">Answers to images that it was trained on.</param>
    /// <param name="others">To images that it never saw, as many.</param>
    /// <param name="asked">To images that it is to have forgotten.</param>
    public static MembershipScore Run(
        MembershipFeature feature, IReadOnlyList<Answer> members, IReadOnlyList<Answer> others, IReadOnlyList<Answer> asked,
        CancellationToken cancellation)
    {
        double[][] points = [.. members.Concat(others).Select(answer => answer.Of(feature))];
        bool[] isMember = [.. members.Select(_ => true), .. others.Select(_ => false)];

        // The kernel's width: one over the numbers that a point has.
        var machine = SupportVectors.Train(points, isMember, Cost, 1.0 / points[0].Length, cancellation: cancellation);
        var told = points.Zip(isMember).Count(one => machine.Decide(one.First) > 0 == one.Second);
        var forgotten = asked.Count(answer => machine.Decide(answer.Of(feature)) <= 0);
        return new MembershipScore(feature, (double)forgotten / asked.Count, (double)told / points.Length);
    }
}

/// <summary>A classifier's answer to an image.</summary>
/// <param name="Probabilities">Of all classes.</param>
/// <param name="Label">The image's class.</param>
public sealed record Answer(double[] Probabilities, int Label)
{
    public bool IsRight => MembershipFeatures.Best(Probabilities) == Label;

    public double[] Of(MembershipFeature feature) => MembershipFeatures.Of(feature, Probabilities, Label);
}
