using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Finetuning;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// Gradual magnitude pruning (Zhu and Gupta, arXiv:1710.01878): the smallest weights go a few at a time while the model
/// trains; the last steps train with the final mask. What went does not come back.
/// </summary>
[Description("Zeroes the smallest weights little by little while the model trains")]
public sealed class GradualMagnitudePrune
    : Activity<GradualMagnitudePrune.Inputs, GradualMagnitudePrune.Parameters, GradualMagnitudePrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share of the blocks' weights to zero in the end")] double Sparsity = 0.5,
        [property: Range(0.0, 0.99), Description("Share to zero at once")] double Initial = 0,
        [property: Description("What the weights are ranked within")] MagnitudeScope Scope = MagnitudeScope.PerLayer,
        [property: Range(1, 1_000_000), Description("Steps from one tightening to the next")] int Interval = 10,
        [property: Range(0.0, 0.95), Description("Share of the steps that train with the final mask")] double Settle = 0.25,
        [property: Range(1, 1_000_000), Description("Training steps")] int Steps = 200,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1e-7, 1.0), Description("The highest learning rate")] double LearningRate = 5e-4,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 0.01,
        [property: Description("Of the order of the data")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model, double Sparsity, double Loss);

    public override string Kind => "prune.magnitude.gradual";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        if (parameters.Initial > parameters.Sparsity)
            throw new StageException($"initial is {parameters.Initial}, more than the sparsity in the end, {parameters.Sparsity}");
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var trainee = new Trainee(model.Network).Parameters(TrainedPart.All);
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        var schedule = new SparsitySchedule(
            parameters.Initial, parameters.Sparsity, parameters.Steps, CoolDown: (int)(parameters.Steps * parameters.Settle));
        using var masks = new GradualMasks(model.Network, trainee.Tensors, schedule, parameters.Interval, parameters.Scope);
        var loss = new TrainingLoop(parameters.Steps, parameters.LearningRate, parameters.WeightDecay).Run(
            (batch, _) => model.Network.NextTokenLoss(batch), trainee.Tensors,
            new TokenBatches(tokens, parameters.Batch, parameters.Seed), stage, cancellation, masks);
        trainee.Finish();
        return new Outputs(await stage.SaveModelAsync(model, cancellation), model.Sparsity(), loss);
    }
}
