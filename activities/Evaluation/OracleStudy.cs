namespace Pipelines.Activities.Evaluation;

/// <summary>Many ways to prune a classifier, before and after retraining.</summary>
/// <param name="Protocol">Names how it was measured; numbers of different protocols are not compared.</param>
/// <param name="Kendall">τ-b between a low loss before and a high accuracy after: 1 where the one tells the other, 0 where it says nothing; null where all are equal.</param>
/// <param name="Spearman">ρ of the same.</param>
/// <param name="LossKendall">τ-b between the loss before and the loss after.</param>
/// <param name="Reversed">The share of pairs of which the one that is better before is worse after.</param>
/// <param name="Lost">By how much the way with the lowest loss before falls short of the best accuracy after.</param>
/// <param name="Chosen">What a method decided, and how many of the ways it is better than; null where none was connected.</param>
public sealed record OracleStudy(
    string Protocol, double? Kendall, double? Spearman, double? LossKendall, double Reversed, double Lost,
    IReadOnlyList<OracleResult> Plans, OracleChoice? Chosen)
{
    /// <param name="plans">At least two.</param>
    public static OracleStudy Of(string protocol, IReadOnlyList<OracleResult> plans, OracleResult? chosen)
    {
        double[] before = [.. plans.Select(plan => -plan.LossBefore)], after = [.. plans.Select(plan => plan.Accuracy)];
        var reversed = 0L;
        for (var i = 0; i < plans.Count; i++)
        {
            for (var j = 0; j < i; j++)
                reversed += Math.Sign(before[i] - before[j]) * Math.Sign(after[i] - after[j]) < 0 ? 1 : 0;
        }

        return new OracleStudy(
            protocol, RankCorrelation.Kendall(before, after), RankCorrelation.Spearman(before, after),
            RankCorrelation.Kendall([.. plans.Select(plan => plan.LossBefore)], [.. plans.Select(plan => plan.Loss)]),
            reversed / (plans.Count * (plans.Count - 1) / 2.0),
            after.Max() - plans.MinBy(plan => plan.LossBefore)!.Accuracy, plans,
            chosen is null
                ? null
                : new OracleChoice(
                    chosen, Share(plans, plan => chosen.LossBefore < plan.LossBefore), Share(plans, plan => chosen.Accuracy > plan.Accuracy)));
    }

    private static double Share(IReadOnlyList<OracleResult> plans, Func<OracleResult, bool> isWorse) => (double)plans.Count(isWorse) / plans.Count;
}

/// <summary>One way to prune.</summary>
/// <param name="LossBefore">Mean cross-entropy right after pruning, of images that it is retrained on, in nats.</param>
/// <param name="AccuracyBefore">On the same images.</param>
/// <param name="Loss">After retraining, on the evaluation images.</param>
/// <param name="Accuracy">Likewise.</param>
public sealed record OracleResult(double LossBefore, double AccuracyBefore, double Loss, double Accuracy);

/// <param name="BetterBefore">Than this share of the ways, by the loss right after pruning.</param>
/// <param name="BetterAfter">By the accuracy after retraining.</param>
public sealed record OracleChoice(OracleResult Result, double BetterBefore, double BetterAfter);
