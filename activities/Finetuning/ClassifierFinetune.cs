using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// Trains a classifier on from where it is; zeroed weights stay zero. With a teacher it learns to answer as that one does
/// (Hinton et al., arXiv:1503.02531).
/// </summary>
[Description("Trains an image classifier on, by labels and on wish by a teacher; zeroed weights stay zero")]
public sealed class ClassifierFinetune : Activity<ClassifierFinetune.Inputs, ClassifierFinetune.Parameters, ClassifierFinetune.Outputs>
{
    /// <param name="Teacher">The dense model, for instance; of the same classes and image size.</param>
    public sealed record Inputs(Checkpoint Model, Images Data, Checkpoint? Teacher);

    public sealed record Parameters(
        [property: Range(0.001, 100_000.0), Description("How often every image is seen")] double Epochs = 10,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 128,
        [property: Description("What changes the parameters")] OptimizerKind Optimizer = OptimizerKind.Sgd,
        [property: Range(1e-7, 100.0), Description("The highest learning rate; AdamW wants a lower one, as 0.0005")] double LearningRate = 0.01,
        [property: Range(0.0, 0.9999), Description("Share of the last update in the next one, with sgd")] double Momentum = 0.9,
        [property: Description("Whether the gradient is taken to be where the momentum leads, with sgd")] bool Nesterov = false,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 5e-4,
        [property: Description("How the learning rate goes")] RateSchedule Schedule = RateSchedule.Cosine,
        [property: Range(0.0, 1.0), Description("Share of the steps in which it rises first")] double Warmup = 0.05,
        [property: Range(0.0, 0.9), Description("Share of a label that is spread over all classes")] double Smoothing = 0,
        [property: Range(0, 64), Description("Black pixels around an image before a piece of its size is cut from anywhere; 0 for none")] int Pad = 4,
        [property: Description("Turn every other image left to right, by chance")] bool Flip = true,
        [property: Range(0.0, 2.0), Description("α of how much of another image is mixed in; 0 for none")] double Mixup = 0,
        [property: Range(0.0, 1.0), Description("Weight of the teacher's answers, where there is one; labels have the rest of 1")] double Teaching = 0.5,
        [property: Range(0.01, 100.0), Description("Temperature of both distributions, with a teacher")] double Temperature = 4,
        [property: Description("Of the order and of what is changed of the images")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model, double Loss);

    public override string Kind => "finetune.classifier";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Data, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        using var dense = inputs.Teacher is null ? null : await stage.LoadClassifierAsync(inputs.Teacher, cancellation);
        dense?.CheckFits(images.Info);
        var training = new ClassifierTraining(
            parameters.Epochs, parameters.Batch, parameters.Optimizer, parameters.LearningRate, parameters.Momentum, parameters.Nesterov,
            parameters.WeightDecay, parameters.Schedule, parameters.Warmup, parameters.Smoothing,
            new Augmentation(parameters.Pad, parameters.Flip, parameters.Mixup), parameters.Seed);
        var loss = training.Run(
            network, images, dense is null ? null : new Teacher(dense, parameters.Teaching, parameters.Temperature), stage, cancellation);
        return new Outputs(await stage.SaveClassifierAsync(network, cancellation), loss);
    }
}
