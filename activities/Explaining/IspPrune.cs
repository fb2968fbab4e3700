using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Activities.Tuning;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>
/// Interpretations steered pruning (ISP, Ganjdanesh et al., ECCV 2022): gates of a frozen classifier's channels learn so that
/// what explains it says the same of the pruned network as of the dense one, at a budget of multiply-adds. The loss is that of
/// the published code; ours are that the budget counts both convolutions of a block (the code's counts one, and its share of
/// both is small from the begin), that gates begin alike and learn faster, and that in the end they are settled without noise,
/// exactly to the budget. Tuning the weights afterwards is a stage of its own (finetune.classifier).
/// </summary>
[Description("Removes channels of an image classifier so that it looks at the same places of images as before, by its explainer; weights stay as they are")]
public sealed class IspPrune : Activity<IspPrune.Inputs, IspPrune.Parameters, IspPrune.Outputs>
{
    // Of a radial mask's places, those that count as its brightest; the figure is not an output.
    private const double Top = 0.2;

    /// <param name="Explainer">Of this model.</param>
    /// <param name="Data">What the gates are learned on; best images that nothing was trained on.</param>
    public sealed record Inputs(Checkpoint Model, Explainer Explainer, Images Data);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share of the multiply-adds to remove")] double Ratio = 0.5,
        [property: Description("Which channels may go")] ChannelScope Scope = ChannelScope.Inner,
        [property: Description("Where the gates come from; the published code has plain ones by default")] ChannelLogits Gates = ChannelLogits.Plain,
        [property: Range(1, 10_000_000), Description("Steps in which they learn")] int Steps = 300,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 64,
        [property: Range(2, 10_000_000), Description("Images that the gates are learned on, at most")] int Images = 2048,
        [property: Range(1e-7, 1.0), Description("AdamW's learning rate; 0.001 in the published code, for 4,000 steps")] double LearningRate = 0.02,
        [property: Range(0.0, 1.0), Description("AdamW's decay")] double WeightDecay = 1e-3,
        [property: Range(0.0, 1e6), Description("What it costs to look elsewhere, for each squared 32nd of the image's width")] double Explanation = 10,
        [property: Range(0.0, 1e6), Description("What it costs to be above the budget; 1 in the published code")] double Budget = 1,
        [property: Range(0.0, 1e6), Description("What wrong answers cost; 0 in the published code, which needs no labels but for the explainer")] double Labels = 0,
        [property: Description("Take the batch norms' statistics anew after the cut, on the same images")] bool Recalibrate = false,
        [property: Description("Of gates, noise, and of which images are taken")] long Seed = 0);

    /// <param name="Decision">The channels that stay.</param>
    /// <param name="Kept">Share of the parameters that is left.</param>
    /// <param name="Macs">Share of the multiply-adds that is left.</param>
    /// <param name="Loss">Of the last steps.</param>
    /// <param name="Similarity">Mean cosine of the radial masks of the cut and the dense network, on these images.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept, double Macs, double Loss, double Similarity);

    public override string Kind => "prune.isp";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        using var explained = await stage.OpenExplainerAsync(inputs.Explainer, network, inputs.Model, cancellation);
        using var training = new IspTraining(network, explained, images, parameters, cancellation);
        var loss = training.Run(stage, cancellation);
        var cut = training.Cut(inputs.Model.Hash, Kind, stage);
        if (parameters.Recalibrate)
        {
            BatchNormRecalibration.Run(
                network,
                ImageBatch.Each(network, training.Images, training.Images.Count, parameters.Batch, parameters.Seed, cancellation).Select(batch => batch.Inputs));
        }

        using var whole = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        return new Outputs(
            await stage.SaveClassifierAsync(network, cancellation), await stage.SaveDecisionAsync(cut.Decision, cancellation),
            cut.Kept, cut.Macs, loss, Similarity());

        double Similarity()
        {
            using var scope = NewDisposeScope();
            cut.Decision.Restore(whole, network);
            var pruned = explained.All(whole, training.Images, parameters.Batch, cancellation);
            var (masks, distance) = RadialAgreement.Of(training.Dense, pruned, network.Config.ImageSize, Top);
            stage.Log($"the cut network's radial masks are {distance:0.000} off the dense one's, of cosine {masks.Cosine:0.0000}");
            return masks.Cosine;
        }
    }
}
