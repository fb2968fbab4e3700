using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// ShortGPT (Men et al., arXiv:2403.03853): removes the blocks that change their input least. What is left is a plain
/// checkpoint with fewer blocks.
/// </summary>
[Description("Removes the blocks that change their input least; a plain, shorter checkpoint is left")]
public sealed class ShortgptPrune : Activity<ShortgptPrune.Inputs, ShortgptPrune.Parameters, ShortgptPrune.Outputs>
{
    /// <param name="Statistics">With the blocks' influence.</param>
    public sealed record Inputs(Checkpoint Model, Statistics Statistics);

    public sealed record Parameters(
        [property: Range(0.0, 0.95), Description("Share of the blocks to remove, rounded down to whole blocks")] double Ratio = 0.25);

    /// <param name="Decision">The blocks that go, both halves of each.</param>
    /// <param name="Kept">Share of the blocks' parameters that is left.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept);

    public override string Kind => "prune.shortgpt";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var statistics = await stage.OpenStatisticsAsync(inputs.Statistics, inputs.Model, cancellation);
        using var ungraded = no_grad();
        var before = model.BlockParameters();
        var names = model.Network.Config.Names;
        var influence = model.Network.Blocks.Select((_, index) => statistics.Influence(names.Layer(index))).ToArray();
        var removed = Removed(influence, parameters.Ratio);
        stage.Log($"influence {string.Join(" ", influence.Select(value => value.ToString("f4", null)))}: blocks {string.Join(", ", removed)} go");
        var decision = new PruningDecision(inputs.Model.Hash, Kind, []) { RemovedAttention = removed, RemovedMlp = removed };
        decision.Apply(model.Network, null, stage, cancellation);
        return new Outputs(
            await stage.SaveModelAsync(model, cancellation), await stage.SaveDecisionAsync(decision, cancellation),
            (double)model.BlockParameters() / before);
    }

    /// <summary>The <c>⌊ratio · n⌋</c> blocks of the least influence, in ascending order; of equals the first.</summary>
    public static int[] Removed(IReadOnlyList<double> influence, double ratio)
    {
        // 0.3 · 10 is a little under 3 in binary: what is meant is 3.
        var count = (int)(influence.Count * ratio + 1e-9);
        return [.. Enumerable.Range(0, influence.Count).OrderBy(block => influence[block]).Take(count).Order()];
    }
}
