using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Workflows;

namespace Pipelines.Activities.Finetuning;

/// <summary>Trains the model's own parameters on the next token; zeroed weights of the linears stay zero.</summary>
[Description("Trains the model's own parameters; zeroed weights stay zero")]
public sealed class FullFinetune : Activity<FullFinetune.Inputs, FullFinetune.Parameters, FullFinetune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Description("Which parameters are trained")] TrainedPart Part = TrainedPart.All,
        [property: Range(1, 1_000_000), Description("Training steps")] int Steps = 150,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1e-7, 1.0), Description("The highest learning rate")] double LearningRate = 5e-4,
        [property: Range(0.0, 1.0), Description("Share of a parameter that decays with each step of learning rate 1")] double WeightDecay = 0.01,
        [property: Description("Of the order of the data")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model, double Loss);

    public override string Kind => "finetune.full";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var recovery = new Recovery(
            parameters.Steps, parameters.Batch, parameters.LearningRate, parameters.WeightDecay, parameters.Seed);
        var (model, loss) = await recovery.RunAsync(
            inputs.Model, inputs.Data, trainee => trainee.Parameters(parameters.Part), stage, cancellation);
        return new Outputs(model, loss);
    }
}

/// <summary>Which of a model's own parameters are trained.</summary>
public enum TrainedPart
{
    [Description("All of them")]
    All,

    [Description("Those of the blocks: not the embedding, the last norm and the head")]
    Blocks,
}
