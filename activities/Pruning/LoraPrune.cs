using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Finetuning;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// LoRAPrune (Zhang et al., arXiv:2305.18403): adapters train, their gradients say which KV groups and neurons matter, and
/// the least important are silenced little by little; in the end the adapters are merged and the silent units are cut.
/// </summary>
[Description("Removes KV groups and neurons while low-rank adapters train; their gradients alone say which")]
public sealed class LoraPrune : Activity<LoraPrune.Inputs, LoraPrune.Parameters, LoraPrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(0.0, 0.95), Description("Share of the units of each block to remove")] double Ratio = 0.5,
        [property: Range(0.0, 1.0), Description("Share of the blocks at the front that stay whole, rounded down")] double KeepFirst = 0.1,
        [property: Range(0, 10_000), Description("Blocks at the end that stay whole")] int KeepLast = 1,
        [property: Range(0.0, 0.49), Description("Share of the steps before the first unit goes, and of those after the last")] double Settle = 0.1,
        [property: Range(1, 1_000_000), Description("Steps from one tightening to the next")] int Interval = 10,
        [property: Range(1, 1024), Description("Rank of the update")] int Rank = 8,
        [property: Range(0.01, 10_000), Description("The update is scaled by alpha / rank")] double Alpha = 16,
        [property: Range(1, 1_000_000), Description("Training steps")] int Steps = 200,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1e-7, 1.0), Description("The highest learning rate")] double LearningRate = 2e-3,
        [property: Description("Of the adapters' initial values and of the order of the data")] long Seed = 0);

    /// <param name="Decision">The units that stay, of the model that came in.</param>
    /// <param name="Kept">Share of the blocks' parameters that is left.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept, double Loss);

    public override string Kind => "prune.loraprune";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        var before = model.BlockParameters();
        using var trainee = new Trainee(model.Network).Adapters(parameters.Rank, parameters.Alpha, parameters.Seed, masked: true);
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        using var masks = new LoraPruneMasks(Sites(model.Network, parameters), Schedule(parameters), parameters.Interval);
        var loss = new TrainingLoop(parameters.Steps, parameters.LearningRate, 0).Run(
            (batch, _) => model.Network.NextTokenLoss(batch, masks.Hook), trainee.Tensors,
            new TokenBatches(tokens, parameters.Batch, parameters.Seed), stage, cancellation, masks);
        trainee.Finish();

        using var ungraded = no_grad();
        var decision = new PruningDecision(
            inputs.Model.Hash, Kind, [.. masks.Open().Select(open => KeptUnits.From(open.Site, open.Units))]);
        decision.Apply(model.Network, null, stage, cancellation);
        return new Outputs(
            await stage.SaveModelAsync(model, cancellation), await stage.SaveDecisionAsync(decision, cancellation),
            (double)model.BlockParameters() / before, loss);
    }

    private static IEnumerable<LinearSite> Sites(CausalLM model, Parameters parameters)
    {
        var (first, end) = ((int)(parameters.KeepFirst * model.Blocks.Count), model.Blocks.Count - parameters.KeepLast);
        return model.Sites().Where(site => site.Block >= first && site.Block < end);
    }

    private static SparsitySchedule Schedule(Parameters parameters)
    {
        var settle = (int)(parameters.Settle * parameters.Steps);
        return new SparsitySchedule(0, parameters.Ratio, parameters.Steps, WarmUp: settle, CoolDown: settle);
    }
}
