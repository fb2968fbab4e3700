using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Classifying;
using Pipelines.Activities.Data;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// Structural pruning of an image classifier by its coupled groups (DepGraph, Fang et al., arXiv:2301.12900): scores channels,
/// ranks them, cuts the lowest. No training.
/// </summary>
[Description("Removes channels of an image classifier, those that a score says matter least")]
public sealed class ChannelPrune : Activity<ChannelPrune.Inputs, ChannelPrune.Parameters, ChannelPrune.Outputs>
{
    /// <param name="Calibration">Needed for taylor, and to take statistics anew.</param>
    public sealed record Inputs(Checkpoint Model, Images? Calibration);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share to remove, of what 'target' says")] double Ratio = 0.5,
        [property: Description("What the ratio is a share of")] ChannelTarget Target = ChannelTarget.Macs,
        [property: Description("What a channel is scored by")] GroupImportance Importance = GroupImportance.L2,
        [property: Description("Which channels may go")] ChannelScope Scope = ChannelScope.Full,
        [property: Description("What a channel competes with")] GroupOrder Ranking = GroupOrder.Global,
        [property: Range(1, 512), Description("Widths that lose channels become multiples of it")] int RoundTo = 1,
        [property: Description("Take the batch norms' statistics anew after the cut, on the calibration images")] bool Recalibrate = false,
        [property: Range(1, 1_000_000), Description("Calibration images, at most")] int Images = 256,
        [property: Range(1, 4096), Description("Images at a time")] int Batch = 64,
        [property: Description("Of random scores, and of which calibration images are taken")] long Seed = 0);

    /// <param name="Decision">The channels that stay.</param>
    /// <param name="Kept">Share of the parameters that is left.</param>
    /// <param name="Macs">Share of the multiply-adds that is left.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept, double Macs);

    public override string Kind => "prune.channels";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        if (inputs.Calibration is null && (parameters.Recalibrate || parameters.Importance == GroupImportance.Taylor))
            throw new StageException($"{Kind} looks at images for {(parameters.Recalibrate ? "recalibrate" : "importance taylor")}: connect 'calibration'");
        using var network = await stage.LoadClassifierAsync(inputs.Model, cancellation);
        using var images = inputs.Calibration is null ? null : await ImageFolder.OpenAsync(stage.Artifacts, inputs.Calibration, cancellation);
        if (images is not null)
            network.CheckFits(images.Info);
        using var gradients = parameters.Importance != GroupImportance.Taylor ? null : ClassifierGradients.Of(
            network, Batches(),
            (done, loss) => stage.Report(done, Math.Min(parameters.Images, images!.Count), "image", ("loss", loss)));
        var before = VisionFlops.Costs(network).Whole;
        var decision = new PruningDecision(inputs.Model.Hash, Kind, Decide(network, gradients is null ? null : name => gradients[name], parameters));
        using (no_grad())
            decision.Apply(network, stage);
        if (parameters.Recalibrate)
            BatchNormRecalibration.Run(network, Batches().Select(batch => batch.Inputs));
        var after = VisionFlops.Costs(network).Whole;
        stage.Log($"{before.Macs / 1e6:N2} M multiply-adds become {after.Macs / 1e6:N2} M ({VisionFlops.Convention}), {before.Parameters:N0} parameters {after.Parameters:N0}");
        return new Outputs(
            await stage.SaveClassifierAsync(network, cancellation), await stage.SaveDecisionAsync(decision, cancellation),
            (double)after.Parameters / before.Parameters, after.Macs / before.Macs);

        IEnumerable<ImageBatch> Batches() =>
            ImageBatch.Each(network, images!, parameters.Images, parameters.Batch, parameters.Seed, cancellation);
    }

    /// <summary>Which channels of each site stay.</summary>
    /// <param name="gradient">Of the loss, by a parameter's name; for taylor.</param>
    /// <exception cref="StageException">A score is no number, or the target cannot be reached.</exception>
    public static IReadOnlyList<KeptUnits> Decide(ImageClassifier network, Func<string, Tensor>? gradient, Parameters parameters)
    {
        using var ungraded = no_grad();
        var sites = network.Sites(parameters.Scope);
        if (sites.Count == 0)
            throw new StageException($"{network.Config.Architecture} has no channels of scope {parameters.Scope}");
        var scores = sites.Select((site, index) => GroupScores.Of(site, parameters.Importance, gradient, parameters.Seed, index)).ToArray();
        var ranking = new GroupRanking(scores, parameters.RoundTo);
        var costs = VisionFlops.Costs(network);
        var kept = parameters switch
        {
            { Target: ChannelTarget.Macs } => ranking.Within(
                costs.Whole.Macs * (1 - parameters.Ratio), parameters.Ranking, counts => costs.After(sites, counts).Macs),
            { Ranking: GroupOrder.Local } => ranking.Local(parameters.Ratio),
            _ => ranking.Global(parameters.Ratio),
        };
        return [.. sites.Zip(kept, KeptUnits.From)];
    }
}

/// <summary>What a ratio is a share of.</summary>
public enum ChannelTarget
{
    [Description("Multiply-adds of convolutions and linears (macs-1); the least that goes beyond it is removed")]
    Macs,

    [Description("Channels")]
    Channels,
}
