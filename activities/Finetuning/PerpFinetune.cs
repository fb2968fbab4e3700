using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// PERP (Zimmer et al., arXiv:2312.15230): retrains a small part of a pruned model, those parameters that a plain checkpoint
/// has room for, and adapters that are merged without filling zeroed weights (MaskLoRA); on the next token, or block by block
/// on what the dense model's blocks make.
/// </summary>
[Description("Retrains norms, biases, the head or masked adapters of a pruned model, or reconstructs each block; zeroed weights stay zero")]
public sealed class PerpFinetune : Activity<PerpFinetune.Inputs, PerpFinetune.Parameters, PerpFinetune.Outputs>
{
    /// <param name="Dense">What the model was before it was pruned: for reconstruction, and only for it.</param>
    public sealed record Inputs(Checkpoint Model, Dataset Data, Checkpoint? Dense);

    public sealed record Parameters(
        [property: Description("Train the scales and shifts of the norms")] bool Norms = true,
        [property: Description("Train the biases that the linears have")] bool Biases = true,
        [property: Description("Train the head; a head that is tied is the embedding")] bool Head = false,
        [property: Description("Train low-rank updates of the blocks' linears, merged afterwards")] bool MaskLora = false,
        [property: Range(1, 1024), Description("Rank of the updates")] int Rank = 16,
        [property: Range(0.01, 10_000), Description("The updates are scaled by alpha / rank")] double Alpha = 32,
        [property: Range(1, 1_000_000), Description("Training steps; to reconstruct, those of each block")] int Steps = 150,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1e-7, 1.0), Description("The highest learning rate")] double LearningRate = 5e-4,
        [property: Description("Of the updates' initial values and of the order of the data")] long Seed = 0,
        [property: Description("What is trained for")] PerpObjective Objective = PerpObjective.Retrain,
        [property: Range(1, 1_000_000), Description("To reconstruct: sequences whose activations are held, at most")] int Sequences = 128);

    /// <param name="Loss">Of the next token, the mean of the last steps; of reconstruction, the blocks' mean relative error.</param>
    public sealed record Outputs(Checkpoint Model, double Loss);

    public override string Kind => "finetune.perp";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        if ((parameters.Objective == PerpObjective.Reconstruct) != (inputs.Dense is not null))
            throw new StageException("finetune.perp takes 'dense' to reconstruct, and only then: connect it, or set objective");
        var (model, loss) = inputs.Dense is null
            ? await new Recovery(parameters.Steps, parameters.Batch, parameters.LearningRate, 0, parameters.Seed)
                .RunAsync(inputs.Model, inputs.Data, Choose, stage, cancellation)
            : await ReconstructAsync(inputs, inputs.Dense, parameters, Choose, stage, cancellation);
        return new Outputs(model, loss);

        void Choose(Trainee trainee)
        {
            trainee.Parameters(parameters.Norms, parameters.Biases, parameters.Head);
            if (parameters.MaskLora)
                trainee.Adapters(parameters.Rank, parameters.Alpha, parameters.Seed, masked: true);
        }
    }

    private static async Task<(Checkpoint Model, double Loss)> ReconstructAsync(
        Inputs inputs, Checkpoint whole, Parameters parameters, Action<Trainee> choose, StageContext stage, CancellationToken cancellation)
    {
        if (parameters.Head)
            throw new StageException("the head is behind the blocks, where nothing is reconstructed: set head to false");
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var trainee = new Trainee(model.Network);
        choose(trainee);
        using var dense = CausalSource.Open(await stage.Artifacts.OpenAsync(whole.Hash, cancellation), device(stage.Device));
        using var tokens = await stage.TokensAsync(inputs.Data, model, parameters.Sequences, cancellation);
        var loop = new TrainingLoop(parameters.Steps, parameters.LearningRate, 0);
        var error = new PerpReconstruction(model.Network, dense, trainee, loop, parameters.Batch, parameters.Seed, stage, cancellation).Run(tokens);
        trainee.Finish();
        return (await stage.SaveModelAsync(model, cancellation), error);
    }
}

/// <summary>What PERP trains for.</summary>
public enum PerpObjective
{
    [Description("The next token of the text, through the whole model")]
    Retrain,

    [Description("Each block's output, to be the dense block's on the same input; needs 'dense'")]
    Reconstruct,
}
