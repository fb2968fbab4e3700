using Pipelines.Activities.Evaluation;

namespace Pipelines.Tests.Activities.Unlearning;

public sealed class MembershipTests
{
    [Fact]
    public void Features_of_an_answer_are_those_of_their_formulas()
    {
        double[] answer = [0.5, 0.25, 0.25];

        Assert.Equal([1], MembershipFeatures.Of(MembershipFeature.Correctness, answer, 0));
        Assert.Equal([0], MembershipFeatures.Of(MembershipFeature.Correctness, answer, 2));
        Assert.Equal([0.25], MembershipFeatures.Of(MembershipFeature.Confidence, answer, 1));
        Assert.Equal(1.5 * Math.Log(2), MembershipFeatures.Entropy(answer), 12);
        Assert.Equal(answer, MembershipFeatures.Of(MembershipFeature.Probabilities, answer, 1));

        // −(1 − ½) ln ½ − 2 · ¼ ln ¾.
        Assert.Equal(0.5 * Math.Log(2) - 0.5 * Math.Log(0.75), MembershipFeatures.ModifiedEntropy(answer, 0), 12);

        // −(1 − ¼) ln ¼ − ½ ln ½ − ¼ ln ¾.
        Assert.Equal(2 * Math.Log(2) - 0.25 * Math.Log(0.75), MembershipFeatures.ModifiedEntropy(answer, 1), 12);
    }

    [Fact]
    public void Sure_answers_have_no_entropy_and_a_sure_wrong_one_a_great_modified_one()
    {
        Assert.Equal(0, MembershipFeatures.Entropy([1, 0]));
        Assert.Equal(0, MembershipFeatures.ModifiedEntropy([1, 0], 0));
        Assert.InRange(MembershipFeatures.ModifiedEntropy([1, 0], 1), 100, 200);
    }

    [Theory]
    [InlineData(MembershipFeature.Confidence)]
    [InlineData(MembershipFeature.Entropy)]
    [InlineData(MembershipFeature.ModifiedEntropy)]
    [InlineData(MembershipFeature.Probabilities)]
    public void Members_that_are_surer_than_others_are_found_out(MembershipFeature feature)
    {
        var members = Answers(0.99, 0.95, 0.97, 0.98);
        var others = Answers(0.6, 0.55, 0.65, 0.7);

        var score = MembershipAttack.Run(feature, members, others, Answers(0.96, 0.6, 0.58, 0.66), TestContext.Current.CancellationToken);

        Assert.Equal(1, score.Told);
        Assert.Equal(0.75, score.Efficacy);
    }

    [Fact]
    public void An_attack_by_correctness_takes_wrong_answers_for_unseen_images()
    {
        var score = MembershipAttack.Run(
            MembershipFeature.Correctness, Answers(0.9, 0.8, 0.7, 0.9), Answers(0.9, 0.2, 0.3, 0.1), Answers(0.9, 0.3, 0.4),
            TestContext.Current.CancellationToken);

        Assert.Equal(2 / 3.0, score.Efficacy);
        Assert.Equal(7 / 8.0, score.Told);
    }

    [Fact]
    public void A_gap_is_the_mean_distance_of_four_figures()
    {
        var gap = UnlearningGap.Between(Measured(0.9, 0.8, 0.7, 0.6), Measured(1, 0.9, 0.6, 0.2));

        Assert.Equal(0.1, gap.Unlearning, 12);
        Assert.Equal(0.4, gap.Membership, 12);
        Assert.Equal(0.175, gap.Average, 12);
    }

    [Fact]
    public void Rank_correlations_are_those_worked_by_hand()
    {
        double[] x = [1, 2, 3, 4];

        Assert.Equal(1, RankCorrelation.Kendall(x, [10, 20, 30, 40]));
        Assert.Equal(-1, RankCorrelation.Spearman(x, [4, 3, 2, 1]));

        // One of six pairs turned: (5 − 1) / 6; ranks differ by 1 twice: 1 − 6 · 2 / (4 · 15).
        Assert.Equal(2 / 3.0, RankCorrelation.Kendall(x, [1, 3, 2, 4])!.Value, 12);
        Assert.Equal(0.8, RankCorrelation.Spearman(x, [1, 3, 2, 4])!.Value, 12);

        // A tie: 5 pairs in order of 6 and 5.
        Assert.Equal(5 / Math.Sqrt(30), RankCorrelation.Kendall(x, [1, 2, 2, 4])!.Value, 12);
        Assert.Equal([0.0, 1.5, 1.5, 3], RankCorrelation.Ranks([1, 2, 2, 4]));
        Assert.Null(RankCorrelation.Kendall(x, [7, 7, 7, 7]));
        Assert.Null(RankCorrelation.Spearman(x, [7, 7, 7, 7]));
    }

    private static Answer[] Answers(params double[] confidences) =>
        [.. confidences.Select(confidence => new Answer([confidence, 1 - confidence], 0))];

    private static UnlearningMeasurement Measured(double unlearning, double retained, double test, double membership) =>
        new("p", unlearning, retained, test, membership, [], null, 1, 1, 1, null);
}
