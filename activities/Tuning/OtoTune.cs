using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// Only-Train-Once, second version (Chen et al., arXiv:2303.06862): a classifier is trained, its redundant channels are told
/// from the others once, and pulled to 0 by the dual half-space projected gradient (<see cref="HalfSpace"/>) while all else
/// is trained on; what is 0 is cut away, which changes nothing. Scores, pull and projection are those of the published code.
/// Ours: the target is a share of the multiply-adds and not of the channels; the direction is what the optimizer made of the
/// gradient, whichever it is; what is not 0 halfway to <see cref="Parameters.Closed"/> is made shorter step by step, as HESSO
/// of the same authors does, so that a short run ends as well.
/// </summary>
[Description("Trains an image classifier, pulls the channels that it finds redundant to zero, and cuts them")]
public sealed class OtoTune : Activity<OtoTune.Inputs, OtoTune.Parameters, OtoTune.Outputs>
{
    /// <param name="Model">Trained or not.</param>
    public sealed record Inputs(Checkpoint Model, Images Data);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share of the multiply-adds to remove")] double Ratio = 0.5,
        [property: Description("Which channels may go")] ChannelScope Scope = ChannelScope.Full,
        [property: Range(4, 10_000_000), Description("Training steps")] int Steps = 2000,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 128,
        [property: Description("What changes the parameters")] OptimizerKind Optimizer = OptimizerKind.Sgd,
        [property: Range(1e-7, 100.0), Description("The highest learning rate; AdamW wants a lower one, as 0.001")] double LearningRate = 0.1,
        [property: Range(0.0, 0.9999), Description("Share of the last update in the next one, with sgd")] double Momentum = 0.9,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 1e-4,
        [property: Range(0.0, 1.0), Description("Share of the steps in which the rate rises first")] double Warmup = 0.02,
        [property: Range(0.0, 1.0), Description("Share of the steps after which the redundant channels are chosen")] double Start = 0.1,
        [property: Range(0.0, 1.0), Description("Share of the steps after which they are zero")] double Closed = 0.6,
        [property: Range(0.0, 0.5), Description("Redundant channels more than needed, to choose from, as a share of all")] double Margin = 0.05,
        [property: Range(0.0, 1e3), Description("λ₀: the least pull; 0.001 when absent, with adamw 0.01")] double? Pull = null,
        [property: Range(1.0, 1e6), Description("Pull in terms of the least that shortens a channel; 2 when absent, with adamw 20")] double? Amplification = null,
        [property: Range(1.0, 1e6), Description("The highest pull in terms of the least; 10 when absent, with adamw 1000")] double? Most = null,
        [property: Range(0.0, 0.999), Description("ε: a channel is zero once a step leaves less than this share of it")] double Epsilon = 0,
        [property: Range(0.0, 0.9), Description("Share of a label that is spread over all classes")] double Smoothing = 0,
        [property: Range(0, 64), Description("Black pixels around an image before a piece of its size is cut from anywhere; 0 for none")] int Pad = 4,
        [property: Description("Turn every other image left to right, by chance")] bool Flip = true,
        [property: Range(0.0, 2.0), Description("α of how much of another image is mixed in; 0 for none")] double Mixup = 0,
        [property: Description("Of the order and of what is changed of the images")] long Seed = 0);

    /// <param name="Decision">The channels that stay.</param>
    /// <param name="Kept">Share of the parameters that is left.</param>
    /// <param name="Macs">Share of the multiply-adds that is left.</param>
    /// <param name="Loss">Of the last steps.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept, double Macs, double Loss);

    public override string Kind => "tune.oto";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        using var training = new OtoTraining(network, images, parameters);
        var loss = training.Run(stage, cancellation);
        var cut = training.Cut(inputs.Model.Hash, Kind, stage);
        return new Outputs(
            await stage.SaveClassifierAsync(network, cancellation), await stage.SaveDecisionAsync(cut.Decision, cancellation),
            cut.Kept, cut.Macs, loss);
    }
}
