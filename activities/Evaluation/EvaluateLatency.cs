using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>What <see cref="EvaluateSpeed"/> is for language models: two classifiers in turns, on the same batch.</summary>
[Description("Seconds of a batch, and images per second, of two image classifiers in turns")]
public sealed class EvaluateLatency : Activity<EvaluateLatency.Inputs, EvaluateLatency.Parameters, EvaluateLatency.Outputs>
{
    public sealed record Inputs(Checkpoint Dense, Checkpoint Pruned);

    public sealed record Parameters(
        [property: Range(1, 65536), Description("Images in a batch")] int Batch = 32,
        [property: Range(1, 10_000), Description("Batches of a round, one after the other")] int Passes = 3,
        [property: Range(1, 10_000), Description("Rounds that count")] int Rounds = 9,
        [property: Range(0, 1000), Description("Rounds before them that do not")] int WarmUp = 2,
        [property: Description("Of the images, which are noise")] long Seed = 0);

    public sealed record Outputs(SpeedComparison Speed);

    public override string Kind => "evaluate.latency";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        SpeedTurns.CheckPair(inputs.Dense, inputs.Pruned);
        using var dense = await stage.LoadClassifierAsync(inputs.Dense, cancellation);
        using var pruned = await stage.LoadClassifierAsync(inputs.Pruned, cancellation);
        ImageClassifier[] networks = [dense, pruned];
        using var images = Noise(SizeOf(dense, pruned), parameters, dense.Device);
        var turns = new SpeedTurns(parameters.WarmUp, parameters.Rounds).Run(
            model => Seconds(networks[model], images, parameters.Passes), stage.Report, cancellation);

        var pair = SpeedFigures.Compare(turns.Dense, turns.Pruned, parameters.Batch);
        stage.Log($"pruned / dense: images {pair.Ratio.Median:0.00}");
        return new Outputs(new SpeedComparison(
            Protocol(images, parameters, stage.Device), stage.Device, get_num_threads(), Prefill: null, Decode: null, pair,
            new Latency(SpeedFigures.Of(turns.Dense), SpeedFigures.Of(turns.Pruned))));
    }

    /// <param name="images">[B, 3, size, size].</param>
    /// <returns>Of one pass, the mean over all.</returns>
    private static double Seconds(ImageClassifier network, Tensor images, int passes)
    {
        using var ungraded = no_grad();
        SpeedTurns.Await(network.Device);
        var clock = Stopwatch.StartNew();
        for (var pass = 0; pass < passes; pass++)
        {
            using var logits = network.Forward(images);
            SpeedTurns.Await(network.Device);
        }

        return clock.Elapsed.TotalSeconds / passes;
    }

    private static int SizeOf(ImageClassifier dense, ImageClassifier pruned)
    {
        var (size, other) = (dense.Config.ImageSize, pruned.Config.ImageSize);
        return size == other
            ? size
            : throw new StageException($"dense takes images of {size} × {size}, pruned of {other} × {other}: only the same work can be compared");
    }

    private static Tensor Noise(int size, Parameters parameters, Device device)
    {
        using var generator = new Generator((ulong)parameters.Seed, CPU);
        using var drawn = empty(parameters.Batch, VisionGraph.ImageChannels, size, size).normal_(generator: generator);
        return drawn.to(device, copy: true);
    }

    /// <summary>Metric and version, what goes in, rounds, device, threads, dtype.</summary>
    private static string Protocol(Tensor images, Parameters parameters, string device) =>
        $"latency-1:images={string.Join('x', images.shape)}:passes={parameters.Passes}:rounds={parameters.Rounds}"
        + $":warmup={parameters.WarmUp}:device={device}:threads={get_num_threads()}:type={images.dtype.ToString().ToLowerInvariant()}";
}
