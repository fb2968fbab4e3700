using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Allocation;
using Pipelines.Activities.Calibration;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// MoDeGPT (Lin et al., arXiv:2408.09632): narrows the three pairs of matrices of each block, MLP by Nyström, query and
/// key by column selection, value and output by an SVD. No training; no residual channel and no shortcut is touched.
/// </summary>
[Description("Narrows MLPs, query-key and value-output pairs of each block by matrix decompositions on activations; no training")]
public sealed class ModegptPrune : Activity<ModegptPrune.Inputs, ModegptPrune.Parameters, ModegptPrune.Outputs>
{
    /// <param name="Statistics">Gram matrices of value's and down's inputs, heads' covariances, and for the allocation influence.</param>
    public sealed record Inputs(Checkpoint Model, Statistics Statistics);

    public sealed record Parameters(
        [property: Range(0.0, 0.8), Description("Share of the blocks' parameters to remove")] double Ratio = 0.3,
        [property: Description("How the ratio is spread over the blocks")] ModegptAllocation Allocation = ModegptAllocation.Influence,
        [property: Range(1e-4, 1e4), Description("The higher, the more alike the blocks' ratios")] double Temperature = 0.15,
        [property: Range(0.0, 0.95), Description("No block loses more")] double Most = 0.8,
        [property: Range(0.0, 10.0), Description("Ridge of the neurons' leverage, as a share of the mean of their squares")] double LeverageRidge = 1e-2,
        [property: Range(0.0, 10.0), Description("Ridge of the solve for the MLP's output, likewise")] double NystromRidge = 1e-4,
        [property: Range(0.0, 10.0), Description("Ridge of the value-output SVD, likewise")] double ValueRidge = 1e-4);

    /// <param name="Kept">Share of the blocks' parameters that is left.</param>
    public sealed record Outputs(Checkpoint Model, double Kept);

    public override string Kind => "prune.modegpt";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var statistics = await stage.OpenStatisticsAsync(inputs.Statistics, inputs.Model, cancellation, Propagation.Dense);
        using var ungraded = no_grad();
        var before = model.BlockParameters();
        Run(model.Network, statistics, parameters, stage, cancellation);
        return new Outputs(await stage.SaveModelAsync(model, cancellation), (double)model.BlockParameters() / before);
    }

    /// <summary>Narrows the model in place.</summary>
    /// <exception cref="StageException">A statistic is missing, or a block reads or writes some channels only.</exception>
    public static void Run(
        CausalLM model, StatisticsFile statistics, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var ratios = parameters.Allocation == ModegptAllocation.Uniform
            ? Enumerable.Repeat(parameters.Ratio, model.Blocks.Count).ToArray()
            : ImportanceAllocation.Ratios(
                [.. model.Blocks.Select((_, index) => statistics.Influence(model.Config.Names.Layer(index)))],
                parameters.Ratio, parameters.Temperature, Math.Max(parameters.Most, parameters.Ratio));
        foreach (var (index, block) in model.Blocks.Index())
        {
            cancellation.ThrowIfCancellationRequested();
            if (block.Linears.FirstOrDefault(linear => linear.Reads is not null || linear.Writes is not null) is { } chosen)
                throw new StageException($"{chosen.Name} reads or writes some channels only: prune.modegpt needs a model that was not cut that way");
            var ranks = ModegptRanks.Of(block, model.Config.RotaryDim, ratios[index]);
            ModegptBlock.Narrow(block, model.Config.RotaryDim, ranks, statistics, parameters);
            stage.Log(
                $"block {index}: ratio {ratios[index]:f3}: {ranks.Neurons} neurons, {ranks.KeyDim} query-key and {ranks.ValueDim} value channels a head");
            stage.Report(
                index + 1, model.Blocks.Count, "block", ("neurons", ranks.Neurons), ("query-key channels", ranks.KeyDim), ("value channels", ranks.ValueDim));
        }
    }
}

/// <summary>How MoDeGPT's ratio is spread over the blocks.</summary>
public enum ModegptAllocation
{
    [Description("Blocks that change their input least lose most: a softmax of the blocks' influence")]
    Influence,

    [Description("The same in every block")]
    Uniform,
}
