using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// Trains LoRA adapters (Hu et al., arXiv:2106.09685) on every linear of the blocks; the model's own weights stay as they
/// are. Merged into a pruned model, the update is masked while it trains, so that zeroed weights stay zero.
/// </summary>
[Description("Trains low-rank adapters on every linear of the blocks")]
public sealed class LoraFinetune : Activity<LoraFinetune.Inputs, LoraFinetune.Parameters, LoraFinetune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(1, 1024), Description("Rank of the update")] int Rank = 8,
        [property: Range(0.01, 10_000), Description("The update is scaled by alpha / rank")] double Alpha = 16,
        [property: Range(1, 1_000_000), Description("Training steps")] int Steps = 150,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1e-7, 1.0), Description("The highest learning rate")] double LearningRate = 2e-3,
        [property: Description("What becomes of the adapters")] AdapterEnd Adapters = AdapterEnd.Merged,
        [property: Description("Of the adapters' initial values and of the order of the data")] long Seed = 0);

    public sealed record Outputs(Checkpoint Model, double Loss);

    public override string Kind => "finetune.lora";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var merged = parameters.Adapters == AdapterEnd.Merged;
        var recovery = new Recovery(parameters.Steps, parameters.Batch, parameters.LearningRate, 0, parameters.Seed);
        var (model, loss) = await recovery.RunAsync(
            inputs.Model, inputs.Data, trainee => trainee.Adapters(parameters.Rank, parameters.Alpha, parameters.Seed, merged),
            stage, cancellation, save: merged ? null : KeepAsync);
        return new Outputs(model, loss);

        async Task<Checkpoint> KeepAsync(LoadedModel trained)
        {
            await using var draft = stage.Artifacts.Begin();
            CausalFolder.Save(trained.Network, draft.Folder);
            TokenizerFiles.Copy(trained.Folder, draft.Folder);
            AdapterFolder.Save(trained.Network, draft.Folder, parameters.Rank, parameters.Alpha);
            return new Checkpoint(await draft.CommitAsync(cancellation), trained.Network.Config.Architecture);
        }
    }
}

/// <summary>What becomes of trained adapters.</summary>
public enum AdapterEnd
{
    [Description("Added to the weights; zeroed weights stay zero")]
    Merged,

    [Description("Kept beside the model, in peft's files; the model's weights stay as they were")]
    Kept,
}
