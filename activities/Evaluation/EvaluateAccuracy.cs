using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>How often a classifier is right, on images as they are, and how large it is.</summary>
[Description("Accuracy of an image classifier: in all, among five, class by class, and how well it knows; and the model's size")]
public sealed class EvaluateAccuracy : Activity<EvaluateAccuracy.Inputs, EvaluateAccuracy.Parameters, EvaluateAccuracy.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Images Data);

    public sealed record Parameters(
        [property: Range(1, 65536), Description("Images that are run together; does not change the result")] int Batch = 250);

    public sealed record Outputs(Measurement Measurement, ClassificationScores Scores);

    public override string Kind => "evaluate.accuracy";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        var tally = Run(network, images, parameters.Batch, stage.Report, cancellation);
        var folder = await stage.Artifacts.OpenAsync(inputs.Model.Hash, cancellation);
        var macs = VisionFlops.Macs(network);
        return new Outputs(
            new Measurement(
                Named(inputs.Data, images.Info), Perplexity: null, network.ParameterCount(), network.NonzeroCount(), WeightFiles.Bytes(folder), 2 * macs, tally.Top1),
            new ClassificationScores(
                Named(inputs.Data, images.Info), tally.Count, tally.Top1, tally.Top5, tally.Loss, tally.CalibrationError, VisionFlops.Convention, macs,
                tally.Classes(images.Info.Classes), tally.Confidences));
    }

    /// <exception cref="StageException">Images and network do not go together, or the logits are no numbers.</exception>
    public static ClassificationTally Run(
        ImageClassifier network, ImageSet images, int batch, ReportProgress report, CancellationToken cancellation)
    {
        network.CheckFits(images.Info);
        using var ungraded = no_grad();
        var tally = new ClassificationTally(network.Config.NumClasses);
        var clock = Stopwatch.StartNew();
        for (long start = 0; start < images.Count; start += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var part = ImageBatch.Of(network, images, start, batch);
            if (!tally.Add(network.Forward(part.Inputs), part.Labels))
                throw new StageException("a logit is no number: the model's weights or statistics hold NaN or infinity");
            report(start + part.Count, images.Count, "image", ("accuracy", tally.Top1), ("images/s", tally.Count / clock.Elapsed.TotalSeconds));
        }

        return tally;
    }

    /// <summary>Metric and version, images, how many of which size and how many classes, and what is done to them: they are normalised only.</summary>
    private static string Named(Images data, ImageInfo info) =>
        $"accuracy-1:images={Protocol.Short(data.Hash)}:count={info.Count}:classes={info.Classes.Count}"
        + $":size={info.Width}x{info.Height}x{info.Channels}:transform=normalize";
}
