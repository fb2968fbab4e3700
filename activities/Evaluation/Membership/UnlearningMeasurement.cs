namespace Pipelines.Activities.Evaluation;

/// <summary>How well a classifier has forgotten images. A good one is near a retrained one in all of it.</summary>
/// <param name="Protocol">Names how it was measured; numbers of different protocols are not compared.</param>
/// <param name="Unlearning">UA: the share of the forgotten images that it does not recognise.</param>
/// <param name="Retained">RA: its accuracy on the retained images.</param>
/// <param name="Test">TA: its accuracy on images that it never saw.</param>
/// <param name="Membership">MIA: the share of the forgotten images that an attack by confidence takes for ones that it never saw.</param>
/// <param name="Attacks">The same by other features of its answers.</param>
/// <param name="Seconds">RTE: what unlearning took; null where it was not connected.</param>
/// <param name="Gap">To a retrained model; null where none was connected.</param>
public sealed record UnlearningMeasurement(
    string Protocol, double Unlearning, double Retained, double Test, double Membership, IReadOnlyList<MembershipScore> Attacks,
    double? Seconds, long Parameters, long Nonzero, long Bytes, UnlearningGap? Gap);

/// <param name="Efficacy">The share of the forgotten images that are taken for ones that it never saw.</param>
/// <param name="Told">The share of members and others that the attack tells apart rightly, of those that it learnt by; at a half its efficacy says nothing.</param>
public sealed record MembershipScore(MembershipFeature Feature, double Efficacy, double Told);

/// <summary>Distances to the figures of a retrained model, each between 0 and 1.</summary>
/// <param name="Average">Of the four.</param>
public sealed record UnlearningGap(double Unlearning, double Retained, double Test, double Membership, double Average)
{
    public static UnlearningGap Between(UnlearningMeasurement one, UnlearningMeasurement retrained)
    {
        double[] gaps =
        [
            Math.Abs(one.Unlearning - retrained.Unlearning), Math.Abs(one.Retained - retrained.Retained),
            Math.Abs(one.Test - retrained.Test), Math.Abs(one.Membership - retrained.Membership),
        ];
        return new UnlearningGap(gaps[0], gaps[1], gaps[2], gaps[3], gaps.Average());
    }
}
