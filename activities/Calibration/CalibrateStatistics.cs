using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Runs a calibration set through a model, block by block, and keeps what later stages need of it. The model is not
/// loaded as a whole: it may be larger than memory.
/// </summary>
[Description("Measures the inputs of linears over a calibration set, block by block")]
public sealed class CalibrateStatistics
    : Activity<CalibrateStatistics.Inputs, CalibrateStatistics.Parameters, CalibrateStatistics.Outputs>
{
    /// <param name="Compressed">With this, each block is measured on what this model's blocks before it put out (sequential).</param>
    public sealed record Inputs(Checkpoint Model, Dataset Calibration, Checkpoint? Compressed);

    public sealed record Parameters(
        [property: Range(1, 1_000_000), Description("Calibration sequences, at most")] int Sequences = 128,
        [property: RegularExpression(StatisticWords.Kinds, ErrorMessage = StatisticWords.KindsExpected)]
        [property: Description("What to keep: some of moments, mean, meanSquare, fluctuation, variance, gram, heads, influence")]
        string Collect = "moments",
        [property: RegularExpression(StatisticWords.Roles, ErrorMessage = StatisticWords.RolesExpected)]
        [property: Description("Of which linears' inputs: all, or some of query, key, value, output, gate, up, down")]
        string Sites = "all");

    public sealed record Outputs(Statistics Statistics);

    public override string Kind => "calibrate.statistics";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var folder = await stage.OpenLanguageAsync(inputs.Model, cancellation);
        var compressed = inputs.Compressed is null ? null : await stage.OpenLanguageAsync(inputs.Compressed, cancellation);
        var config = CausalConfig.Read(Path.Combine(folder, "config.json"));
        using var tokens = await stage.TokensAsync(
            inputs.Calibration, Tokenizer.Load(folder), config.VocabSize, parameters.Sequences, cancellation);
        var plan = new StatisticsPlan(
            StatisticWords.Parse<StatisticKinds>(parameters.Collect), StatisticWords.Parse<LinearRoles>(parameters.Sites));
        var blocks = new StatisticsRunner(folder, plan, stage, cancellation) { Compressed = compressed }.Run(tokens);

        await using var draft = stage.Artifacts.Begin();
        StatisticsFile.Join(draft.Folder, blocks, new CalibrationIdentity(
            inputs.Model.Hash, inputs.Calibration.Hash, tokens.shape[0], tokens.shape[1], inputs.Compressed?.Hash, plan));
        return new Outputs(new Statistics(await draft.CommitAsync(cancellation)));
    }
}
