using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Explaining;

/// <summary>
/// Trains what explains a classifier in one forward pass (ISP, Ganjdanesh et al., ECCV 2022): a predictor that answers like the
/// classifier when it sees a part of an image, and a selector that reads from the classifier's feature maps which part that has
/// to be. Losses, masks and the selector's form are those of the published code; ours are that both train for steps rather than
/// hundreds of epochs, with AdamW and a rate that falls, and that the predictor begins as the classifier.
/// </summary>
[Description("Trains an explainer of an image classifier: a selector that says in one forward pass where the classifier looks to tell a class")]
public sealed class TrainExplainer : Activity<TrainExplainer.Inputs, TrainExplainer.Parameters, TrainExplainer.Outputs>
{
    // Images that the shown share is a mean over.
    private const int Measured = 256;

    /// <param name="Model">A trained classifier; it stays as it is.</param>
    public sealed record Inputs(Checkpoint Model, Images Data);

    public sealed record Parameters(
        [property: Range(0, 10_000_000), Description("Steps of the predictor, which sees images through random masks")] int PredictorSteps = 200,
        [property: Range(1, 10_000_000), Description("Steps of the selector")] int SelectorSteps = 150,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 64,
        [property: Range(1e-7, 1.0), Description("AdamW's highest learning rate of the predictor; 0.0001 in the published code, for 300 epochs")] double PredictorRate = 1e-3,
        [property: Range(1e-7, 1.0), Description("That of the selector; 0.0001 in the published code, for 56,000 steps")] double SelectorRate = 1e-3,
        [property: Range(0.0, 1.0), Description("AdamW's decay")] double WeightDecay = 1e-4,
        [property: Description("Begin the predictor as a copy of the model, rather than anew")] bool FromModel = true,
        [property: Range(0.1, 32.0), Description("The least σ of a random mask, in 32nds of the width")] double Narrowest = 5,
        [property: Range(0.1, 32.0), Description("The greatest")] double Widest = 11,
        [property: Range(0.01, 10.0), Description("Temperature of a random mask's pixels: the lower, the nearer to 0 and 1")] double Sharpness = 0.1,
        [property: Range(0.0, 1e3), Description("λ1: what showing much of an image costs the selector; in the published code 0.2 for CIFAR, 1 for ImageNet. Too little shows all, too much nothing")] double Area = 1,
        [property: Range(0.05, 1.0), Description("a: the power of what a pixel costs")] double AreaPower = 0.3,
        [property: Range(0.0, 1e3), Description("λ2: what uneven masks cost")] double Unevenness = 1e-3,
        [property: Range(0, 64), Description("Black pixels around an image before a piece of its size is cut from anywhere; 0 for none")] int Pad = 4,
        [property: Description("Turn every other image left to right, by chance")] bool Flip = true,
        [property: Description("Of the selector, of masks, order and changes of images")] long Seed = 0);

    /// <param name="Loss">Of the selector's last steps.</param>
    /// <param name="Shown">The share of an image that its masks show, on average: near 0 or 1 they tell nothing.</param>
    public sealed record Outputs(Explainer Explainer, double Loss, double Shown);

    public override string Kind => "explain.train";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        using var predictor = parameters.FromModel
            ? await stage.LoadClassifierAsync(inputs.Model, cancellation)
            : New(network.Config, parameters.Seed, stage);
        using var training = new ExplainerTraining(network, predictor, images, parameters);
        var loss = training.Run(stage, cancellation);
        var shown = training.Shown(Measured, cancellation);
        stage.Log($"the masks show {shown:p1} of an image{(shown is < 0.02 or > 0.98 ? ": change 'area', they tell nothing" : "")}");
        return new Outputs(await stage.SaveExplainerAsync(network, training.Explained, inputs.Model, cancellation), loss, shown);
    }

    private static ImageClassifier New(ImageConfig config, long seed, StageContext stage)
    {
        using (var made = VisionFolder.Create(config, seed))
            VisionFolder.Save(made, stage.Scratch);
        return VisionFolder.Load(stage.Scratch, device(stage.Device));
    }
}
