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
/// SparseGPT (Frantar and Alistarh, arXiv:2301.00774): zeroes weights column by column and lets the columns after them make up
/// for the error, by the inverse Hessian of each linear's inputs. No training.
/// </summary>
[Description("Zeroes weights column by column, and changes those that stay to make up for it")]
public sealed class SparseGptPrune : Activity<SparseGptPrune.Inputs, SparseGptPrune.Parameters, SparseGptPrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Calibration);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share of the weights to zero")] double Sparsity = 0.5,
        [property: RegularExpression(SparsityPattern.Expression, ErrorMessage = SparsityPattern.Expected)]
        [property: Description("N:M, as 2:4; none for no pattern")]
        string Pattern = "none",
        [property: Range(1, 1_000_000), Description("Calibration sequences, at most")] int Sequences = 128,
        [property: Range(1, 65_536), Description("Columns whose weights are chosen together")] int BlockSize = 128,
        [property: Range(1e-9, 10.0), Description("Added to the Hessian's diagonal, as a share of its mean")] double Damping = 0.01,
        [property: Description("Which weights go when the cut is drawn")] MagnitudeCut Cut = MagnitudeCut.Released,
        [property: Description("How the sparsity is spread over the blocks; a pattern is the same in all")]
        SparsityAllocation Allocation = SparsityAllocation.Uniform,
        [property: Range(1.0, 1000.0), Description("OWL: a score above so many times its block's mean is an outlier")] double Outliers = 5,
        [property: Range(0.0, 0.5), Description("OWL: half of the span between the densest and the sparsest block")] double Spread = 0.08);

    /// <param name="Error">Σ over all linears of the squared error that the reconstruction could not remove, as the method counts it.</param>
    public sealed record Outputs(Checkpoint Model, double Sparsity, double Error);

    public override string Kind => "prune.sparsegpt";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var tokens = await stage.TokensAsync(inputs.Calibration, model, parameters.Sequences, cancellation);
        using var ungraded = no_grad();
        var options = Options(parameters);
        var owl = WandaPrune.Owl(parameters.Allocation, parameters.Outliers, parameters.Spread, options.Pattern);
        var error = Run(model.Network, tokens, options, stage.Report, cancellation, owl, stage.Scratch);
        return new Outputs(await stage.SaveModelAsync(model, cancellation), model.Sparsity(), error);
    }

    internal static SparseGptOptions Options(Parameters parameters) => new(
        parameters.Sparsity, SparsityPattern.Parse(parameters.Pattern), parameters.BlockSize, parameters.Damping, parameters.Cut);

    /// <summary>Measures a block, prunes it, and feeds the next with what the pruned block puts out.</summary>
    /// <param name="tokens">[sequences, length], int64.</param>
    /// <param name="owl">With this, the sparsity is spread by outliers, which the dense model is run for once before.</param>
    /// <param name="scratch">A folder for what is large; null to hold it in memory.</param>
    /// <returns>The error of all linears together.</returns>
    public static double Run(
        CausalLM model, Tensor tokens, SparseGptOptions options, ReportProgress report, CancellationToken cancellation,
        OwlOptions? owl = null, string? scratch = null)
    {
        var sparsities = OwlAllocation.Measure(model, tokens, options.Sparsity, owl, report, cancellation);
        var before = owl is null ? 0 : model.Blocks.Count;
        using var runner = new BlockRunner(model, tokens, cancellation, scratch);
        var error = 0.0;
        while (runner.MoveNext())
        {
            using (var grams = new SharedInputs<Gram>(() => new Gram()))
            {
                runner.Observe(grams);
                var own = options with { Sparsity = sparsities[runner.Index] };
                // The widest first: what is made of it is the largest, and what the others make is not there yet.
                error += grams.Groups.OrderByDescending(group => group.Key.Width)
                    .Sum(group => Prune(runner.Block, group.Key, [.. group], own, cancellation));
            }

            runner.Advance();
            report(before + runner.Index + 1, before + model.Blocks.Count, "block", ("sparsity", runner.Block.Linears.Average(linear => linear.Sparsity())));
        }

        return error;
    }

    /// <summary>All linears that read the same, with one factor of its Hessian.</summary>
    private static double Prune(
        DecoderBlock block, Gram gram, IReadOnlyList<string> names, SparseGptOptions options, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        // What was freed of activations, and by other linears, makes room for what is as large as the Hessian.
        Torch.Extensions.ReturnMemory();
        using var factor = InverseFactor.Take(gram.Hessian(), options.Damping, names[0]);
        var error = 0.0;
        foreach (var linear in block.Linears.Where(linear => names.Contains(linear.Name)))
        {
            cancellation.ThrowIfCancellationRequested();
            var pruned = SparseGpt.Prune(linear.Weight, factor, options, linear.Name);
            linear.SetWeight(pruned.Weight);
            error += pruned.Error;
        }

        return error;
    }
}
