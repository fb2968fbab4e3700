using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Workflows;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// PERP (Zimmer et al., arXiv:2312.15230): retrains a small part of a pruned model, those parameters that a plain checkpoint
/// has room for, and adapters that are merged without filling zeroed weights (MaskLoRA).
/// </summary>
[Description("Retrains norms, biases, the head or masked adapters of a pruned model; zeroed weights stay zero")]
public sealed class PerpFinetune : Activity<PerpFinetune.Inputs, PerpFinetune.Parameters, PerpFinetune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Description("Train the scales and shifts of the norms")] bool Norms = true,
        [property: Description("Train the biases that the linears have")] bool Biases = true,
        [property: Description("Train the head; a head that is tied is the embedding")] bool Head = false,
        [property: Description("Train low-rank updates of the blocks' linears, merged afterwards")] bool MaskLora = false,
        [property: Range(1, 1024), Description("Rank of the updates")] int Rank = 16,
        [property: Range(0.01, 10_000), Description("The updates are scaled by alpha / rank")] double Alpha = 32,
        [property: Range(1, 1_000_000), Description("Training steps")] int Steps = 150,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1e-7, 1.0), Description("The highest learning rate")] double LearningRate = 5e-4,
        [property: Description("Of the updates' initial values and of the order of the data")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model, double Loss);

    public override string Kind => "finetune.perp";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var recovery = new Recovery(parameters.Steps, parameters.Batch, parameters.LearningRate, 0, parameters.Seed);
        var (model, loss) = await recovery.RunAsync(inputs.Model, inputs.Data, Choose, stage, cancellation);
        return new Outputs(model, loss);

        void Choose(Trainee trainee)
        {
            trainee.Parameters(parameters.Norms, parameters.Biases, parameters.Head);
            if (parameters.MaskLora)
                trainee.Adapters(parameters.Rank, parameters.Alpha, parameters.Seed, masked: true);
        }
    }
}
