using System.ComponentModel;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>Of a fan-out's models, all of about one size, the one to go on with.</summary>
[Description("The model of a fan-out with the lowest perplexity, or the highest accuracy")]
public sealed class SelectBest : Activity<SelectBest.Inputs, None, SelectBest.Outputs>
{
    public sealed record Inputs(IReadOnlyList<Branch<Checkpoint>> Models, IReadOnlyList<Branch<Measurement>> Measurements);

    public sealed record Outputs(Checkpoint Model, Measurement Measurement);

    public override string Kind => "select.best";

    public override Task<Outputs> RunAsync(Inputs inputs, None parameters, StageContext stage, CancellationToken cancellation)
    {
        var chosen = Choose(inputs.Measurements);
        stage.Log($"chosen: {Values.Name(chosen)}");
        return Task.FromResult(new Outputs(Values.Measured(inputs.Models, chosen), chosen.Value));
    }

    /// <summary>Of equals the one with fewer weights that are not zero.</summary>
    public static Branch<Measurement> Choose(IReadOnlyList<Branch<Measurement>> measurements)
    {
        var best = RankModels.Rank(measurements, SizeMeasure.Nonzero).Models[0];
        return measurements.First(one => one.Stage == best.Stage);
    }
}
