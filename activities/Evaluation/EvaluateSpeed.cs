using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>Times two language models by <see cref="SpeedTurns"/>.</summary>
[Description("Tokens per second of two models in turns: a prompt at once, and one token after the other")]
public sealed class EvaluateSpeed : Activity<EvaluateSpeed.Inputs, EvaluateSpeed.Parameters, EvaluateSpeed.Outputs>
{
    public sealed record Inputs(Checkpoint Dense, Checkpoint Pruned);

    public sealed record Parameters(
        [property: Range(1, 1_000_000), Description("Tokens of a prompt")] int Prompt = 128,
        [property: Range(1, 1_000_000), Description("Tokens generated after it")] int Generated = 32,
        [property: Range(1, 4096), Description("Sequences beside each other")] int Batch = 1,
        [property: Range(1, 10_000), Description("Rounds that count")] int Rounds = 9,
        [property: Range(0, 1000), Description("Rounds before them that do not")] int WarmUp = 2,
        [property: Description("Of the prompt's tokens, which are drawn at random")] long Seed = 0);

    public sealed record Outputs(SpeedComparison Speed);

    public override string Kind => "evaluate.speed";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        SpeedTurns.CheckPair(inputs.Dense, inputs.Pruned);
        using var dense = await stage.LoadModelAsync(inputs.Dense, cancellation);
        using var pruned = await stage.LoadModelAsync(inputs.Pruned, cancellation);
        CausalLM[] models = [dense.Network, pruned.Network];
        using var tokens = Prompts(models.Min(model => model.Config.VocabSize), parameters, models[0].Device);
        var turns = new SpeedTurns(parameters.WarmUp, parameters.Rounds).Run(
            model => Timing.Of(models[model], tokens, parameters.Generated), stage.Report, cancellation);

        var (prefill, decode) = (Pair(one => one.Prefill, tokens.numel()), Pair(one => one.Decode, (long)parameters.Batch * parameters.Generated));
        var speed = new SpeedComparison(
            Protocol(parameters, stage.Device, dense.Network.Dtype), stage.Device, get_num_threads(), prefill, decode);
        stage.Log($"pruned / dense: prefill {prefill.Ratio.Median:0.00}, decode {decode.Ratio.Median:0.00}");
        return new Outputs(speed);

        SpeedPair Pair(Func<Timing, double> seconds, long count) =>
            SpeedFigures.Compare([.. turns.Dense.Select(seconds)], [.. turns.Pruned.Select(seconds)], count);
    }

    private static Tensor Prompts(int vocabulary, Parameters parameters, Device device)
    {
        using var generator = new Generator((ulong)parameters.Seed, CPU);
        using var drawn = randint(0, vocabulary, [parameters.Batch, parameters.Prompt], dtype: ScalarType.Int64, generator: generator);
        return drawn.to(device, copy: true);
    }

    /// <summary>Metric and version, lengths, rounds, device, threads, dtype.</summary>
    private static string Protocol(Parameters parameters, string device, ScalarType dtype) =>
        $"speed-1:prompt={parameters.Prompt}:generated={parameters.Generated}:batch={parameters.Batch}:rounds={parameters.Rounds}"
        + $":warmup={parameters.WarmUp}:device={device}:threads={get_num_threads()}:type={dtype.ToString().ToLowerInvariant()}";
}
