using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Finetuning;

/// <summary>
/// Tunes and prunes at once, after ATP (arXiv:2412.14426), of which only the idea is public; the losses and the schedule are
/// this project's. Adapters are trained under gates of the KV groups and neurons, and a network that makes the gates is
/// trained in turn with them on text that is held out; then the gates are frozen, the adapters trained on, and what is
/// closed is cut away.
/// </summary>
[Description("Trains adapters and the choice of KV groups and neurons in turn; then cuts and merges")]
public sealed class AtpTune : Activity<AtpTune.Inputs, AtpTune.Parameters, AtpTune.Outputs>
{
    // Every tenth sequence is for the choice alone.
    private const int HeldOut = 10;

    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(0.0, 0.95), Description("Share of the blocks' parameters to remove")] double Ratio = 0.3,
        [property: Range(2, 1_000_000), Description("Training steps, of both kinds together")] int Steps = 600,
        [property: Range(0.0, 1.0), Description("Share of the steps, at the end, in which the choice is settled")] double Settled = 0.6,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1, 1024), Description("Rank of the update")] int Rank = 8,
        [property: Range(0.01, 10_000), Description("The update is scaled by alpha / rank")] double Alpha = 16,
        [property: Range(1e-7, 1.0), Description("The adapters' highest learning rate")] double LearningRate = 2e-3,
        [property: Range(1e-7, 1.0), Description("The choosing network's learning rate")] double ChoiceRate = 5e-3,
        [property: Range(0.0, 1000.0), Description("What it costs to be off the ratio")] double Weight = 2,
        [property: Range(0.0, 1000.0), Description("What adapters of closed units cost")] double Lasso = 1e-3,
        [property: Description("Of adapters, network, noise and the order of the data")] long Seed = 0,
        [property: Description("How the gates are drawn while the choice is learned")] GateKind Gate = GateKind.Gumbel);

    /// <param name="Decision">The units that stay.</param>
    /// <param name="Kept">Share of the blocks' parameters that is left.</param>
    /// <param name="Loss">Of the last steps.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept, double Loss);

    public override string Kind => "tune.atp";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        if (model.Network.Linears().Any(linear => linear.Adapter is not null))
            throw new StageException("this model carries adapters: merge them first (finetune.lora with adapters merged)");
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        var before = model.BlockParameters();
        double loss;
        PruningDecision decision;
        using (var training = new AtpTraining(model.Network, tokens, HeldOut, parameters))
        {
            loss = training.Run(stage, cancellation);
            decision = training.Decide(inputs.Model.Hash, Kind);
        }

        using var ungraded = no_grad();
        Adapters.Merge(model.Network);
        decision.Apply(model.Network, null, stage, cancellation);
        return new Outputs(
            await stage.SaveModelAsync(model, cancellation), await stage.SaveDecisionAsync(decision, cancellation),
            (double)model.BlockParameters() / before, loss);
    }
}
