using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// Times two models in turns, in one process, so that whatever else the machine does befalls both alike; which goes first
/// changes with every round. What is claimed is the median of the rounds' ratios, with its spread.
/// </summary>
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
        using var dense = await stage.LoadModelAsync(inputs.Dense, cancellation);
        using var pruned = await stage.LoadModelAsync(inputs.Pruned, cancellation);
        CausalLM[] models = [dense.Network, pruned.Network];
        using var tokens = Prompts(models.Min(model => model.Config.VocabSize), parameters, models[0].Device);
        var timings = models.Select(_ => new List<Timing>()).ToArray();
        var total = parameters.WarmUp + parameters.Rounds;
        for (var round = 0; round < total; round++)
        {
            foreach (var index in round % 2 == 0 ? new[] { 0, 1 } : [1, 0])
            {
                cancellation.ThrowIfCancellationRequested();
                var timing = Timing.Of(models[index], tokens, parameters.Generated);
                if (round >= parameters.WarmUp)
                    timings[index].Add(timing);
            }

            stage.Report(round + 1, total, "round");
        }

        var speed = new SpeedComparison(
            Protocol(parameters, stage.Device, dense.Network.Dtype), stage.Device, get_num_threads(),
            Pair(timing => timing.Prefill, tokens.numel()), Pair(timing => timing.Decode, (long)parameters.Batch * parameters.Generated));
        stage.Log($"pruned / dense: prefill {speed.Prefill.Ratio.Median:0.00}, decode {speed.Decode.Ratio.Median:0.00}");
        return new Outputs(speed);

        SpeedPair Pair(Func<Timing, double> seconds, long count) =>
            SpeedFigures.Compare([.. timings[0].Select(seconds)], [.. timings[1].Select(seconds)], count);
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
