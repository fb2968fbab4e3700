using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Calibration;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// FLAP (An et al., arXiv:2312.11983): removes KV groups with their query heads, and neurons, whose output moves least,
/// and puts the mean of what they gave into a bias. No training; the weights really become smaller.
/// </summary>
[Description("Removes attention heads by KV group, and neurons; the mean of what is removed becomes a bias")]
public sealed class FlapPrune : Activity<FlapPrune.Inputs, FlapPrune.Parameters, FlapPrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Statistics Statistics);

    public sealed record Parameters(
        [property: Range(0.0, 0.9), Description("Share of the blocks' parameters to remove")] double Ratio = 0.2,
        [property: Description("What a channel is scored by")] FlapMetric Metric = FlapMetric.Wifv,
        [property: Description("Where the ratio holds")] FlapStructure Structure = FlapStructure.AlAm,
        [property: Description("Whose formula")] FlapFormula Formula = FlapFormula.Released,
        [property: Description("Put the mean of what is removed into biases")] bool Compensate = true);

    /// <param name="Decision">The units that stay.</param>
    /// <param name="Kept">Share of the blocks' parameters that is left.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept);

    public override string Kind => "prune.flap";

    public override int Version => 2;

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var statistics = await stage.OpenStatisticsAsync(inputs.Statistics, inputs.Model, cancellation);
        using var ungraded = no_grad();
        var before = model.BlockParameters();
        var kept = Decide(
            [.. model.Network.Sites()], linear => Fluctuation(statistics, linear, parameters.Formula), statistics.MeanSquare, parameters);
        var decision = new PruningDecision(inputs.Model.Hash, Kind, kept);
        decision.Apply(model.Network, parameters.Compensate ? statistics.Mean : null, stage, cancellation);
        return new Outputs(
            await stage.SaveModelAsync(model, cancellation), await stage.SaveDecisionAsync(decision, cancellation),
            (double)model.BlockParameters() / before);
    }

    /// <summary>Which units of each site stay.</summary>
    /// <param name="fluctuation">Of a linear's input, by the linear's name: [in].</param>
    /// <param name="meanSquare">Likewise.</param>
    public static IReadOnlyList<KeptUnits> Decide(
        IReadOnlyList<LinearSite> sites, Func<string, Tensor> fluctuation, Func<string, Tensor> meanSquare, Parameters parameters)
    {
        var adaptive = parameters.Structure == FlapStructure.AlAm;
        var scores = sites.Select(Score).ToArray();
        if (!adaptive)
            return [.. sites.Zip(scores, (site, units) => KeptUnits.From(site, FlapScores.KeepUniform(units, parameters.Ratio)))];

        // Heads before neurons, so that of equal scores theirs count first.
        var weighted = sites.Zip(scores).OrderBy(pair => pair.First.Kind)
            .SelectMany(pair => pair.Second.Select(score => (score, Weight(pair.First))));
        var threshold = FlapScores.Threshold(weighted, parameters.Ratio);
        return [.. sites.Zip(scores, (site, units) => KeptUnits.From(site, FlapScores.Keep(units, score => score > threshold)))];

        double[] Score(LinearSite site)
        {
            using var scope = NewDisposeScope();
            var channels = FlapScores.Channels(
                parameters.Metric, site.Reader.Weight, fluctuation(site.Reader.Name), meanSquare(site.Reader.Name));
            if (!channels.isfinite().all().ToBoolean())
                throw new StageException($"{site.Reader.Name}: its statistics hold NaN or infinity");
            if (site.Kind == UnitKind.KeyValueGroup && parameters.Formula == FlapFormula.Released)
                channels = channels.square();
            if (adaptive)
                channels = FlapScores.Standardize(channels);
            if (!channels.isfinite().all().ToBoolean())
                throw new StageException($"{site.Reader.Name}: all of its channels score the same: nothing moves it on the calibration set");
            var units = channels.view(site.Count, -1);
            return (adaptive ? units.mean([1L]) : units.sum([1L])).data<double>().ToArray();
        }

        // The released code keeps the weight of a head in an integer tensor, which cuts off its fraction.
        double Weight(LinearSite site)
        {
            var neuron = sites.FirstOrDefault(one => one.Kind == UnitKind.Neuron)?.UnitParameters ?? 1;
            var weight = (double)site.UnitParameters / neuron;
            return parameters.Formula == FlapFormula.Released ? Math.Floor(weight) : weight;
        }
    }

    private static Tensor Fluctuation(StatisticsFile statistics, string linear, FlapFormula formula) =>
        formula == FlapFormula.Released ? statistics.Fluctuation(linear) : statistics.Variance(linear);
}

/// <summary>Where FLAP's ratio holds.</summary>
public enum FlapStructure
{
    [Description("One ranking over all layers and both modules")]
    AlAm,

    [Description("In every layer and module by itself")]
    UlUm,
}

/// <summary>Where the released code of FLAP departs from its paper.</summary>
public enum FlapFormula
{
    [Description("As released: its running fluctuation, attention's scores squared, the weight of a head cut to an integer")]
    Released,

    [Description("As the paper says: the variance, no square, exact weights")]
    Paper,
}
