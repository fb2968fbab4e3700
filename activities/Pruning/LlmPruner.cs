using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Allocation;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// LLM-Pruner (Ma et al., arXiv:2305.11627): removes the KV groups and neurons of each block that a first- or second-order
/// estimate says the loss depends on least: the same share of every block, or those of all blocks in one ranking. The published
/// recipe recovers with LoRA.
/// </summary>
[Description("Removes KV groups and neurons by what the loss's gradient says of them")]
public sealed class LlmPruner : Activity<LlmPruner.Inputs, LlmPruner.Parameters, LlmPruner.Outputs>
{
    /// <param name="Calibration">Not needed for l1 and l2.</param>
    public sealed record Inputs(Checkpoint Model, Dataset? Calibration);

    public sealed record Parameters(
        [property: Range(0.0, 0.95), Description("Share of the units of each block to remove; ranked globally, of the units' parameters together")]
        double Ratio = 0.25,
        [property: Description("What a unit is scored by")] TaylorImportance Importance = TaylorImportance.ParamFirst,
        [property: Description("How the scores of a unit's matrices become one")] GroupReduction Reduction = GroupReduction.Sum,
        [property: Description("How queries that share a KV head are added up")] GroupFold Fold = GroupFold.Contiguous,
        [property: Range(0, 10_000), Description("Blocks at the front that stay whole; the published recipe keeps 4 of 32")] int KeepFirst = 0,
        [property: Range(0, 10_000), Description("Blocks at the end that stay whole; the published recipe keeps 2 of 32")] int KeepLast = 0,
        [property: Range(1, 1_000_000), Description("Sequences of the calibration set, at most")] int Sequences = 10,
        [property: Description("What units are ranked against")] UnitRanking Ranking = UnitRanking.PerBlock);

    /// <param name="Decision">The units that stay.</param>
    /// <param name="Kept">Share of the blocks' parameters that is left.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept);

    public override string Kind => "prune.llmpruner";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var gradients = await GradientsAsync(inputs, parameters, model, stage, cancellation);
        using var ungraded = no_grad();
        var before = model.BlockParameters();
        var decision = new PruningDecision(inputs.Model.Hash, Kind, Decide(model.Network, gradients, parameters));
        decision.Apply(model.Network, null, stage, cancellation);
        return new Outputs(
            await stage.SaveModelAsync(model, cancellation), await stage.SaveDecisionAsync(decision, cancellation),
            (double)model.BlockParameters() / before);
    }

    /// <summary>Which units stay of each site between the blocks that stay whole.</summary>
    /// <param name="gradients">Null where only the weights count.</param>
    public static IReadOnlyList<KeptUnits> Decide(CausalLM model, WeightGradients? gradients, Parameters parameters)
    {
        LinearSite[] sites =
        [
            .. model.Sites()
                .Where(site => site.Block >= parameters.KeepFirst && site.Block < model.Blocks.Count - parameters.KeepLast),
        ];
        if (parameters.Ranking == UnitRanking.PerBlock)
            return [.. sites.Select(site => KeptUnits.From(site, LlmPrunerScores.Keep(Scores(site), parameters.Ratio)))];

        var kept = GlobalRanking.Keep(
            [.. sites.Select(site => new RankedSite(site.Name, Scores(site), site.UnitParameters))],
            parameters.Ratio * sites.Sum(site => (double)site.Count * site.UnitParameters),
            parameters.Ranking == UnitRanking.Global ? RankBy.Score : RankBy.ScorePerCost);
        return [.. sites.Zip(kept, KeptUnits.From)];

        double[] Scores(LinearSite site)
        {
            using var scope = NewDisposeScope();
            var scores = Channels(site, gradients, parameters).sum([1L]);
            if (!scores.isfinite().all().ToBoolean())
                throw new StageException($"{site.Name}: its importances are not finite; the model or its gradients hold NaN or infinity");
            return scores.data<double>().ToArray();
        }
    }

    /// <returns>[units, channels of a unit].</returns>
    public static Tensor Channels(LinearSite site, WeightGradients? gradients, Parameters parameters) => LlmPrunerScores.Channels(
        site,
        member => LlmPrunerScores.Lines(
            parameters.Importance, member.Axis, member.Linear.Weight, gradients?.Mean(member.Linear),
            Squares(parameters) ? gradients?.MeanSquare(member.Linear) : null),
        parameters.Reduction, parameters.Fold);

    private static bool Squares(Parameters parameters) =>
        parameters.Importance is TaylorImportance.ParamSecond or TaylorImportance.ParamMix;

    private async Task<WeightGradients?> GradientsAsync(
        Inputs inputs, Parameters parameters, LoadedModel model, StageContext stage, CancellationToken cancellation)
    {
        if (parameters.Importance is TaylorImportance.L1 or TaylorImportance.L2)
            return null;
        var data = inputs.Calibration ?? throw new StageException(
            $"{Kind} takes the loss's gradient on a text: connect 'calibration', or choose importance l1 or l2");
        using var tokens = await stage.TokensAsync(data, model, parameters.Sequences, cancellation);
        return WeightGradients.Of(model.Network, tokens, Squares(parameters), stage, cancellation);
    }
}

/// <summary>What LLM-Pruner ranks a unit against.</summary>
public enum UnitRanking
{
    [Description("Those of its kind in its block")]
    PerBlock,

    [Description("Those of both kinds in all blocks, by their importance")]
    Global,

    [Description("The same, by their importance for each parameter")]
    GlobalPerParameter,
}
