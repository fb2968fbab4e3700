using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;

namespace Pipelines.Activities.Unlearning;

/// <summary>
/// Unlearns by training on with the retained images alone, what is not repeated being forgotten; with a penalty ℓ1-sparse
/// (Jia et al., arXiv:2304.04934). Zeroed weights stay zero: prune first, then unlearn.
/// </summary>
[Description("Forgets by training on with the retained images alone; with a penalty on the parameters, l1-sparse")]
public sealed class FinetuneUnlearn : Activity<FinetuneUnlearn.Inputs, FinetuneUnlearn.Parameters, FinetuneUnlearn.Outputs>
{
    /// <param name="Retained">Images that are not to be forgotten.</param>
    public sealed record Inputs(Checkpoint Model, Images Retained);

    public sealed record Parameters(
        [property: Range(0.0, 1.0), Description("γ of the l1 penalty in the first epoch, from where it falls linearly; 0 for none")] double Penalty = 0,
        [property: Range(0.0, 100_000.0), Description("Epochs at the end without the penalty")] double FreeEpochs = 0,
        [property: Range(0.001, 100_000.0), Description("How often every image is seen")] double Epochs = 10,
        [property: Range(2, 65536), Description("Images in a batch")] int Batch = 256,
        [property: Range(1e-7, 100.0), Description("The learning rate")] double LearningRate = 0.01,
        [property: Range(0.0, 0.9999), Description("Share of the last update in the next one")] double Momentum = 0.9,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 5e-4,
        [property: Description("How the learning rate goes")] RateSchedule Schedule = RateSchedule.Constant,
        [property: Range(0, 64), Description("Black pixels around an image before a piece of its size is cut from anywhere; 0 for none")] int Pad = 4,
        [property: Description("Turn every other image left to right, by chance")] bool Flip = true,
        [property: Description("Of the order and of what is changed of the images")] long Seed = 0);

    /// <param name="Loss">Of the last steps, with the penalty.</param>
    /// <param name="Seconds">That the steps took.</param>
    public sealed record Outputs(Checkpoint Model, double Loss, double Seconds);

    public override string Kind => "unlearn.finetune";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        if (parameters.Penalty > 0 && parameters.FreeEpochs >= parameters.Epochs)
            throw new StageException($"{parameters.FreeEpochs} of {parameters.Epochs} epochs are to be free of the penalty: expected fewer");
        using var images = await ImageFolder.OpenAsync(stage.Artifacts, inputs.Retained, cancellation);
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        using var clock = new TrainingClock();
        var penalty = new SparsePenalty(parameters.Penalty, parameters.Epochs, parameters.FreeEpochs);
        var training = new ClassifierTraining(
            parameters.Epochs, parameters.Batch, OptimizerKind.Sgd, parameters.LearningRate, parameters.Momentum, Nesterov: false,
            parameters.WeightDecay, parameters.Schedule, Warmup: 0, Smoothing: 0, new Augmentation(parameters.Pad, parameters.Flip, Mixup: 0),
            parameters.Seed)
        {
            Clock = clock,
            Objective = (loss, step) => penalty.At((int)((long)step * parameters.Batch / images.Count)) is > 0 and var weight
                ? loss + SparsePenalty.Norm(network.NamedParameters().Select(parameter => parameter.Tensor)) * weight
                : loss,
        };
        var last = training.Run(network, images, teacher: null, stage, cancellation);
        return new Outputs(await stage.SaveClassifierAsync(network, cancellation), last, clock.Seconds);
    }
}
