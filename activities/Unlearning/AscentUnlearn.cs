using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;

namespace Pipelines.Activities.Unlearning;

/// <summary>
/// Unlearns by going up the loss of the images that are to be forgotten (Graves et al., arXiv:2010.10981; Thudi et al.,
/// arXiv:2109.13398). Too much of it breaks the model: nothing holds on to the retained images. Zeroed weights stay zero.
/// </summary>
[Description("Forgets by going up the loss of the images to forget; breaks the model when overdone")]
public sealed class AscentUnlearn : Activity<AscentUnlearn.Inputs, AscentUnlearn.Parameters, AscentUnlearn.Outputs>
{
    /// <param name="Forgotten">Images that are to be forgotten.</param>
    public sealed record Inputs(Checkpoint Model, Images Forgotten);

    public sealed record Parameters(
        [property: Range(0.001, 100_000.0), Description("How often every image is seen")] double Epochs = 5,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 256,
        [property: Range(1e-7, 100.0), Description("The learning rate")] double LearningRate = 1e-4,
        [property: Range(0.0, 0.9999), Description("Share of the last update in the next one")] double Momentum = 0.9,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 5e-4,
        [property: Range(0, 64), Description("Black pixels around an image before a piece of its size is cut from anywhere; 0 for none")] int Pad = 4,
        [property: Description("Turn every other image left to right, by chance")] bool Flip = true,
        [property: Description("Of the order and of what is changed of the images")] long Seed = 0);

    /// <param name="Loss">Of the images to forget, in the last steps.</param>
    /// <param name="Seconds">That the steps took.</param>
    public sealed record Outputs(Checkpoint Model, double Loss, double Seconds);

    public override string Kind => "unlearn.ascent";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Forgotten, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        using var clock = new TrainingClock();
        var training = new ClassifierTraining(
            parameters.Epochs, parameters.Batch, OptimizerKind.Sgd, parameters.LearningRate, parameters.Momentum, Nesterov: false,
            parameters.WeightDecay, RateSchedule.Constant, Warmup: 0, Smoothing: 0, new Augmentation(parameters.Pad, parameters.Flip, Mixup: 0),
            parameters.Seed)
        {
            Clock = clock,
            Objective = (loss, _) => -loss,
        };
        var last = training.Run(network, images, teacher: null, stage, cancellation);
        return new Outputs(await stage.SaveClassifierAsync(network, cancellation), -last, clock.Seconds);
    }
}
