using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>Puts what models were timed at beside how good they are.</summary>
public static class RankSpeeds
{
    /// <param name="speeds">Of some of the ranked models, each with the same values of the matrix as its measurement.</param>
    /// <param name="measure">Of language models, which have two speeds; classifiers have one.</param>
    /// <exception cref="StageException">A speed belongs to no model or to several, or they were timed by different protocols.</exception>
    public static Ranking Join(Ranking ranking, IReadOnlyList<Branch<SpeedComparison>> speeds, SpeedMeasure measure)
    {
        var first = speeds[0];
        if (speeds.FirstOrDefault(other => other.Value.Protocol != first.Value.Protocol) is { } other)
        {
            throw new StageException(
                $"{other.Stage} timed by '{other.Value.Protocol}', {first.Stage} by '{first.Value.Protocol}': "
                + "their speeds cannot be compared; time all with the same settings on one machine");
        }

        var byStage = speeds.ToDictionary(speed => Of(ranking, speed).Stage, speed => speed.Value);
        var judged = first.Value.Images is null ? measure : SpeedMeasure.Images;
        var timed = ranking.Models.Where(model => byStage.ContainsKey(model.Stage))
            .Select(model => (Of: model, Times: Ratio(byStage[model.Stage]))).ToArray();
        return ranking with
        {
            Models = [.. ranking.Models.Select(Joined)],
            Speed = new RankedBySpeed(first.Value.Protocol, judged),
        };

        RankedModel Joined(RankedModel model) => byStage.TryGetValue(model.Stage, out var speed)
            ? model with
            {
                Speed = new RankedSpeed(
                    speed.Prefill?.Ratio, speed.Decode?.Ratio,
                    !timed.Any(rival => Beats(rival.Of, rival.Times, model, Ratio(speed))), speed.Images?.Ratio),
            }
            : model;

        double Ratio(SpeedComparison speed) => Pair(speed, judged).Ratio.Median;
    }

    private static SpeedPair Pair(SpeedComparison speed, SpeedMeasure measure) => measure switch
    {
        SpeedMeasure.Images => speed.Images,
        SpeedMeasure.Prefill => speed.Prefill,
        _ => speed.Decode,
    }
    ?? throw new StageException($"'{speed.Protocol}' has no speed of {measure.ToString().ToLowerInvariant()}");

    private static RankedModel Of(Ranking ranking, Branch<SpeedComparison> speed) =>
        ranking.Models.Where(model => Values.Same(model.Variables, speed.Variables)).ToList() is [var only]
            ? only
            : throw new StageException(
                $"which model {speed.Stage} timed is not plain: measurements and speeds must come from one matrix, or from none");

    private static bool Beats(RankedModel rival, double rivalTimes, RankedModel one, double times) =>
        rival.Figures.Cost() <= one.Figures.Cost() && rivalTimes >= times
            && (rival.Figures.Cost() < one.Figures.Cost() || rivalTimes > times);
}
