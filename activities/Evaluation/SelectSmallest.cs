using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>Of a fan-out's models the one to go on with.</summary>
[Description("The smallest model of a fan-out whose perplexity, or accuracy, is not much worse than the dense one's")]
public sealed class SelectSmallest : Activity<SelectSmallest.Inputs, SelectSmallest.Parameters, SelectSmallest.Outputs>
{
    public sealed record Inputs(
        IReadOnlyList<Branch<Checkpoint>> Models, IReadOnlyList<Branch<Measurement>> Measurements, Measurement Dense);

    public sealed record Parameters(
        [property: Range(0.0, 100.0), Description("By how much its perplexity may exceed the dense model's, as a share of that")]
        double Increase = 0.1,
        [property: Range(0.0, 1.0), Description("Of classifiers: by how much its accuracy may lie below the dense model's, as a share of all images")]
        double Drop = 0.01,
        [property: Description("What size is counted in")] SizeMeasure Size = SizeMeasure.Nonzero);

    public sealed record Outputs(Checkpoint Model, Measurement Measurement);

    public override string Kind => "select.smallest";

    public override Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var chosen = Choose(inputs.Measurements, inputs.Dense, parameters);
        stage.Log($"chosen: {Values.Name(chosen)}");
        return Task.FromResult(new Outputs(Values.Measured(inputs.Models, chosen), chosen.Value));
    }

    /// <summary>Of equals the better one.</summary>
    public static Branch<Measurement> Choose(
        IReadOnlyList<Branch<Measurement>> measurements, Measurement dense, Parameters parameters)
    {
        RankModels.Rank([.. measurements, new Branch<Measurement>("the dense model", measurements[0].Variables, dense)], parameters.Size);
        var limit = dense.Perplexity is null ? dense.Cost() + parameters.Drop : dense.Cost() * (1 + parameters.Increase);
        // What is written in decimal is compared as such: 0.81 is 0.01 below 0.82.
        return measurements.Where(one => one.Value.Cost() <= limit + 1e-12)
            .OrderBy(one => parameters.Size.Of(one.Value)).ThenBy(one => one.Value.Cost()).FirstOrDefault()
            ?? throw new StageException(string.Create(CultureInfo.InvariantCulture,
                $"no model is good enough: the best has {measurements.MinBy(one => one.Value.Cost())!.Value.Said()}, the dense one "
                + $"{dense.Perplexity ?? dense.Accuracy:0.####}, and {Allowed(dense, parameters)}"));
    }

    private static string Allowed(Measurement dense, Parameters parameters) => dense.Perplexity is null
        ? string.Create(CultureInfo.InvariantCulture, $"{parameters.Drop:0.####} less is allowed")
        : string.Create(CultureInfo.InvariantCulture, $"{parameters.Increase:P0} more are allowed");
}
