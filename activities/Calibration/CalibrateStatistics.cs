using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Runs a calibration set through the dense model, block by block, and keeps the moments of every linear's input.
/// </summary>
[Description("Measures the inputs of every linear over a calibration set")]
public sealed class CalibrateStatistics
    : Activity<CalibrateStatistics.Inputs, CalibrateStatistics.Parameters, CalibrateStatistics.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Calibration);

    public sealed record Parameters(
        [property: Range(1, 1_000_000), Description("Calibration sequences, at most")] int Sequences = 128);

    public sealed record Outputs(Statistics Statistics);

    public override string Kind => "calibrate.statistics";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var tokens = await stage.TokensAsync(inputs.Calibration, model, parameters.Sequences, cancellation);
        using var all = Measure(model.Network, tokens, stage.Report, cancellation);

        await using var draft = stage.Artifacts.Begin();
        StatisticsFile.Save(draft.Folder, all.Moments, new Dictionary<string, string>
        {
            ["model"] = inputs.Model.Hash,
            ["dataset"] = inputs.Calibration.Hash,
            ["sequences"] = tokens.shape[0].ToString(CultureInfo.InvariantCulture),
            ["length"] = tokens.shape[1].ToString(CultureInfo.InvariantCulture),
            ["propagation"] = "dense",
        });
        return new Outputs(new Statistics(await draft.CommitAsync(cancellation)));
    }

    /// <param name="tokens">[sequences, length], int64.</param>
    public static ModelMoments Measure(
        CausalLM model, Tensor tokens, ReportProgress report, CancellationToken cancellation)
    {
        using var ungraded = no_grad();
        using var runner = new BlockRunner(model, tokens, cancellation);
        var all = new ModelMoments();
        while (runner.MoveNext())
        {
            all.Add(runner.Block, runner.MeasureAndAdvance(spread: true));
            report(runner.Index + 1, model.Blocks.Count, "block");
        }

        return all;
    }
}

/// <summary>The moments of every linear of a model, by name, in order.</summary>
public sealed class ModelMoments : IDisposable
{
    private readonly List<BlockMoments> blocks = [];

    public List<(string Linear, InputMoments Moments)> Moments { get; } = [];

    public void Add(DecoderBlock block, BlockMoments moments)
    {
        blocks.Add(moments);
        Moments.AddRange(block.Linears.Select(linear => (linear.Name, moments[linear.Name])));
    }

    public void Dispose() => blocks.ForEach(block => block.Dispose());
}
