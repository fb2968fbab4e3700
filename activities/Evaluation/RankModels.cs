using System.ComponentModel;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>Joins a fan-out: its models by quality, and the Pareto fronts of size and of speed against quality.</summary>
[Description("Ranks the models of a fan-out by perplexity or accuracy, and marks those that no other beats in size, or in speed, and quality at once")]
public sealed class RankModels : Activity<RankModels.Inputs, RankModels.Parameters, RankModels.Outputs>
{
    /// <param name="Speeds">Each of the model that was measured under the same values of the matrix; not every model needs one.</param>
    public sealed record Inputs(
        IReadOnlyList<Branch<Measurement>> Measurements, IReadOnlyList<Branch<SpeedComparison>>? Speeds);

    public sealed record Parameters(
        [property: Description("What size is counted in")] SizeMeasure Size = SizeMeasure.Nonzero,
        [property: Description("Which speed the front of speed is of; of classifiers that of images, whatever stands here")] SpeedMeasure Speed = SpeedMeasure.Decode);

    public sealed record Outputs(Ranking Ranking);

    public override string Kind => "report.rank";

    public override Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var ranking = Rank(inputs.Measurements, parameters.Size);
        return Task.FromResult(new Outputs(
            inputs.Speeds is { Count: > 0 } speeds ? RankSpeeds.Join(ranking, speeds, parameters.Speed) : ranking));
    }

    /// <summary>By perplexity or accuracy, the best first; of equals the smaller first.</summary>
    /// <exception cref="StageException">They were measured by different protocols.</exception>
    public static Ranking Rank(IReadOnlyList<Branch<Measurement>> measurements, SizeMeasure size)
    {
        var first = measurements[0];
        if (measurements.FirstOrDefault(other => other.Value.Protocol != first.Value.Protocol) is { } other)
        {
            throw new StageException(
                $"{other.Stage} measured by '{other.Value.Protocol}', {first.Stage} by '{first.Value.Protocol}': "
                + $"their {first.Value.Plural()} cannot be compared; evaluate all with the same data and settings");
        }

        var models = measurements
            .OrderBy(one => one.Value.Cost()).ThenBy(one => size.Of(one.Value))
            .Select((one, index) => new RankedModel(
                index + 1, one.Stage, one.Variables, !measurements.Any(rival => Beats(rival.Value, one.Value, size)),
                CompareModels.Figures(one.Value)));
        return new Ranking(first.Value.Protocol, size, [.. models]);
    }

    private static bool Beats(Measurement rival, Measurement one, SizeMeasure size) =>
        rival.Cost() <= one.Cost() && size.Of(rival) <= size.Of(one)
            && (rival.Cost() < one.Cost() || size.Of(rival) < size.Of(one));
}

internal static class Sizes
{
    public static long Of(this SizeMeasure size, Measurement measurement) => size switch
    {
        SizeMeasure.Parameters => measurement.Parameters,
        SizeMeasure.Nonzero => measurement.Nonzero,
        _ => measurement.Bytes,
    };
}
