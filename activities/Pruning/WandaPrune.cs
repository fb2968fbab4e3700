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
/// Wanda (Sun et al., arXiv:2306.11695): in each output row, zeroes the weights whose |weight| × input norm is smallest.
/// No training and no weight update; a few calibration sequences suffice.
/// </summary>
[Description("Zeroes, in each output row, the weights with the smallest |weight| × input norm")]
public sealed class WandaPrune : Activity<WandaPrune.Inputs, WandaPrune.Parameters, WandaPrune.Outputs>
{
    /// <param name="Calibration">With this, each block is measured after the blocks before it were pruned (the paper's way).</param>
    /// <param name="Statistics">With this, all blocks are judged by the dense model's activations, and nothing is run.</param>
    public sealed record Inputs(Checkpoint Model, Dataset? Calibration, Statistics? Statistics);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share of each row's weights to zero")] double Sparsity = 0.5,
        [property: RegularExpression(SparsityPattern.Expression, ErrorMessage = SparsityPattern.Expected)]
        [property: Description("N:M, as 2:4; none for no pattern")]
        string Pattern = "none",
        [property: Range(1, 1_000_000), Description("Calibration sequences, at most")] int Sequences = 128,
        [property: Description("How the sparsity is spread over the blocks; a pattern is the same in all")]
        SparsityAllocation Allocation = SparsityAllocation.Uniform,
        [property: Range(1.0, 1000.0), Description("OWL: a score above so many times its block's mean is an outlier")] double Outliers = 5,
        [property: Range(0.0, 0.5), Description("OWL: half of the span between the densest and the sparsest block")] double Spread = 0.08);

    public sealed record Outputs(Checkpoint Model, double Sparsity);

    public override string Kind => "prune.wanda";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        if ((inputs.Calibration is null) == (inputs.Statistics is null))
            throw new StageException("prune.wanda takes either 'calibration' or 'statistics': connect one of them");
        var pattern = SparsityPattern.Parse(parameters.Pattern);
        var owl = Owl(parameters.Allocation, parameters.Outliers, parameters.Spread, pattern);
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var ungraded = no_grad();
        if (inputs.Statistics is { } measured)
        {
            using var statistics = await stage.OpenStatisticsAsync(measured, inputs.Model, cancellation);
            Run(model.Network, statistics, parameters.Sparsity, pattern, stage.Report, cancellation, owl, stage.Scratch);
        }
        else
        {
            using var tokens = await stage.TokensAsync(inputs.Calibration!, model, parameters.Sequences, cancellation);
            Run(model.Network, tokens, parameters.Sparsity, pattern, stage.Report, cancellation, owl, stage.Scratch);
        }

        return new Outputs(await stage.SaveModelAsync(model, cancellation), model.Sparsity());
    }

    /// <summary>By what was measured of the dense model.</summary>
    /// <param name="owl">With this, the sparsity is spread by outliers.</param>
    /// <param name="scratch">A folder for what is large; null to hold it in memory.</param>
    public static void Run(
        CausalLM model, StatisticsFile statistics, double sparsity, SparsityPattern? pattern, ReportProgress report,
        CancellationToken cancellation, OwlOptions? owl = null, string? scratch = null)
    {
        var sparsities = owl is null
            ? [.. model.Blocks.Select(_ => sparsity)]
            : OwlAllocation.Sparsities(
                [.. model.Blocks.Select(block => OwlAllocation.OutlierPercent(block, statistics.MeanSquare, owl.Multiple))], sparsity, owl.Lambda);
        foreach (var (index, block) in model.Blocks.Index())
        {
            foreach (var linear in block.Linears)
            {
                cancellation.ThrowIfCancellationRequested();
                Prune(linear, statistics.MeanSquare(linear.Name), sparsities[index], pattern);
            }

            if (scratch is not null)
                ScratchWeights.Move(block.Linears, scratch);
            report(index + 1, model.Blocks.Count, "block", ("sparsity", block.Linears.Average(linear => linear.Sparsity())));
        }
    }

    /// <summary>The sequential way: measures a block, prunes it, and feeds the next with what the pruned block puts out.</summary>
    /// <param name="tokens">[sequences, length], int64.</param>
    /// <param name="owl">With this, the sparsity is spread by outliers, which the dense model is run for once before.</param>
    /// <param name="scratch">A folder for what is large; null to hold it in memory.</param>
    public static void Run(
        CausalLM model, Tensor tokens, double sparsity, SparsityPattern? pattern, ReportProgress report,
        CancellationToken cancellation, OwlOptions? owl = null, string? scratch = null)
    {
        var sparsities = OwlAllocation.Measure(model, tokens, sparsity, owl, report, cancellation);
        var before = owl is null ? 0 : model.Blocks.Count;
        using var runner = new BlockRunner(model, tokens, cancellation, scratch);
        while (runner.MoveNext())
        {
            using (var moments = runner.Measure(spread: false))
            {
                foreach (var linear in runner.Block.Linears)
                    Prune(linear, moments[linear.Name].MeanSquare, sparsities[runner.Index], pattern);
            }

            runner.Advance();
            report(before + runner.Index + 1, before + model.Blocks.Count, "block", ("sparsity", runner.Block.Linears.Average(linear => linear.Sparsity())));
        }
    }

    /// <summary>What a stage's parameters ask for; null for the same sparsity everywhere.</summary>
    /// <exception cref="StageException">A pattern leaves nothing to spread.</exception>
    internal static OwlOptions? Owl(SparsityAllocation allocation, double outliers, double spread, SparsityPattern? pattern)
    {
        if (allocation == SparsityAllocation.Uniform)
            return null;
        return pattern is null
            ? new OwlOptions(outliers, spread)
            : throw new StageException("a pattern is the same in every block: with one, allocation is uniform");
    }

    /// <summary>The whole method: true where a weight is to be zeroed.</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="meanSquare">[in], the input's mean square, up to a constant.</param>
    public static Tensor Mask(Tensor weight, Tensor meanSquare, double sparsity, SparsityPattern? pattern, string name)
    {
        using var scope = NewDisposeScope();
        var norm = meanSquare.sqrt().to(ScalarType.Float32);
        var scores = weight.to(ScalarType.Float32).abs().mul_(norm);
        if (!scores.isfinite().all().ToBoolean())
            throw new StageException($"{name}: |weight| × input norm is not finite; the model or its activations hold NaN or infinity");
        var mask = pattern?.Mask(scores, name) ?? SmallestScores.PerRow(scores, (long)(weight.shape[1] * sparsity));
        return mask.MoveToOuterDisposeScope();
    }

    /// <summary>Zeroes what the mask names.</summary>
    public static void Prune(Linear linear, Tensor meanSquare, double sparsity, SparsityPattern? pattern)
    {
        using var mask = Mask(linear.Weight, meanSquare, sparsity, pattern, linear.Name);
        linear.SetWeight(linear.Weight.masked_fill(mask, 0));
    }
}
