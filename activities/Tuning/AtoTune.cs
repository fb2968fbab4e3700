using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Data;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Tuning;

/// <summary>
/// Auto-Train-Once (Wu et al., CVPR 2024, arXiv:2403.14729): a classifier is trained, and a network that makes gates of its
/// channels is trained in between on images that are held out; what the gates close is drawn to 0 by proximal steps while the
/// weights learn, and cut away in the end, which changes nothing. Weights, gates, budget and schedule are those of the
/// published code; ours are that the choice between refreshes is free of noise, that it is settled exactly to the budget,
/// that held-out images are not trained on, and <see cref="AtoPhases.Closed"/>.
/// </summary>
[Description("Trains an image classifier and, in between, which of its channels stay; what is closed is drawn to zero and cut")]
public sealed class AtoTune : Activity<AtoTune.Inputs, AtoTune.Parameters, AtoTune.Outputs>
{
    /// <param name="Model">Trained or not.</param>
    public sealed record Inputs(Checkpoint Model, Images Data);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share of the multiply-adds to remove")] double Ratio = 0.5,
        [property: Description("Which channels may go")] ChannelScope Scope = ChannelScope.Inner,
        [property: Range(4, 10_000_000), Description("Training steps, of weights and choice together")] int Steps = 2000,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 128,
        [property: Range(1e-7, 1.0), Description("AdamW's highest learning rate of the weights")] double LearningRate = 1e-3,
        [property: Range(0.0, 1.0), Description("AdamW's decay of the weights")] double WeightDecay = 0.05,
        [property: Range(0.0, 1.0), Description("Share of the steps in which the rate rises first")] double Warmup = 0.02,
        [property: Range(1e-7, 1.0), Description("Learning rate of the network that chooses")] double ChoiceRate = 1e-3,
        [property: Range(0.001, 0.5), Description("Share of the images that are held out, to choose by")] double HeldOut = 0.05,
        [property: Range(1, 100_000), Description("Steps of the weights to one of the choice")] int Every = 20,
        [property: Range(0.0, 1.0), Description("Share of the steps after which the choice is trained as well")] double Choose = 0.1,
        [property: Range(0.0, 1.0), Description("Share of the steps after which closed channels are shortened")] double Shorten = 0.2,
        [property: Range(0.0, 1.0), Description("Share of the steps after which the choice is settled")] double Settle = 0.5,
        [property: Range(0.0, 1.0), Description("Share of the steps after which closed channels are zero")] double Closed = 0.8,
        [property: Range(0.0, 1e6), Description("λ: how hard closed channels are shortened before the choice is settled")] double Pull = 10,
        [property: Range(0.0, 1e6), Description("λ afterwards")] double Push = 1000,
        [property: Range(0.0, 0.9), Description("Share of a label that is spread over all classes")] double Smoothing = 0.1,
        [property: Range(0, 64), Description("Black pixels around an image before a piece of its size is cut from anywhere; 0 for none")] int Pad = 4,
        [property: Description("Turn every other image left to right, by chance")] bool Flip = true,
        [property: Range(0.0, 2.0), Description("α of how much of another image is mixed in; 0 for none")] double Mixup = 0.2,
        [property: Description("Of the network that chooses, of noise, order, changes of images, and of what is held out")] long Seed = 0);

    /// <param name="Decision">The channels that stay.</param>
    /// <param name="Kept">Share of the parameters that is left.</param>
    /// <param name="Macs">Share of the multiply-adds that is left.</param>
    /// <param name="Loss">Of the last steps.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept, double Macs, double Loss);

    public override string Kind => "tune.ato";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        using var training = new AtoTraining(network, images, parameters);
        var loss = training.Run(stage, cancellation);
        var cut = training.Cut(inputs.Model.Hash, Kind, stage);
        return new Outputs(
            await stage.SaveClassifierAsync(network, cancellation), await stage.SaveDecisionAsync(cut.Decision, cancellation),
            cut.Kept, cut.Macs, loss);
    }
}
