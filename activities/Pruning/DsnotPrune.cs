using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Calibration;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// DSnoT (Zhang et al., arXiv:2310.08915): takes the mask of another method and exchanges zeroed weights for kept ones, row by
/// row, until what a row puts out on average is again what the dense one did. No training, and no weight changes.
/// </summary>
/// <remarks>
/// The mean is a small part of what a row loses, and every exchange gives up a weight that Wanda would have kept: on narrow
/// models the released settings double the squared error (docs/methods.md). The defaults exchange only where the mean is far off.
/// </remarks>
[Description("Starts from another method's mask and exchanges weights until each row's mean output is right again")]
public sealed class DsnotPrune : Activity<DsnotPrune.Inputs, DsnotPrune.Parameters, DsnotPrune.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Calibration);

    public sealed record Parameters(
        [property: Range(0.0, 0.99), Description("Share of each row's weights to zero")] double Sparsity = 0.5,
        [property: RegularExpression(SparsityPattern.Expression, ErrorMessage = SparsityPattern.Expected)]
        [property: Description("N:M, as 2:4; none for no pattern")]
        string Pattern = "none",
        [property: Description("Whose mask it starts from")] InitialMask Initial = InitialMask.Wanda,
        [property: Description("Which linears it refines; the others keep the initial mask")] RefinedPart Refine = RefinedPart.Attention,
        [property: Range(1, 1_000_000), Description("Calibration sequences, at most")] int Sequences = 128,
        [property: Range(0, 10_000), Description("Exchanges per row, at most. The released code's 50 are for rows of 4096 weights: in a narrow model each costs more than it mends")]
        int Cycles = 5,
        [property: Range(0.0, 1e6), Description("A row is left as it is where its error, the mean over sequences of the sum over their tokens, is no larger: it grows with their length. Released: 0.1, which no row of a narrow model reaches")]
        double Threshold = 10,
        [property: Range(0.0, 10.0), Description("How much steadiness counts when a weight is brought back")] double Power = 1,
        [property: Description("Whose formula")] DsnotFormula Formula = DsnotFormula.Paper);

    public sealed record Outputs(Checkpoint Model, double Sparsity);

    public override string Kind => "prune.dsnot";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var tokens = await stage.TokensAsync(inputs.Calibration, model, parameters.Sequences, cancellation);
        using var ungraded = no_grad();
        Run(model.Network, tokens, parameters, stage.Report, cancellation, stage.Scratch);
        return new Outputs(await stage.SaveModelAsync(model, cancellation), model.Sparsity());
    }

    /// <summary>Measures a block, prunes it, and feeds the next with what the pruned block puts out.</summary>
    /// <param name="tokens">[sequences, length], int64.</param>
    /// <param name="scratch">A folder for what is large; null to hold it in memory.</param>
    public static void Run(
        CausalLM model, Tensor tokens, Parameters parameters, ReportProgress report, CancellationToken cancellation,
        string? scratch = null)
    {
        using var runner = new BlockRunner(model, tokens, cancellation, scratch);
        while (runner.MoveNext())
        {
            using (var inputs = new SharedInputs<DsnotMoments>(() => new DsnotMoments(parameters.Formula)))
            {
                runner.Observe(inputs);
                foreach (var linear in runner.Block.Linears)
                {
                    cancellation.ThrowIfCancellationRequested();
                    Prune(runner.Block, linear, inputs[linear.Name], parameters);
                }
            }

            runner.Advance();
            report(runner.Index + 1, model.Blocks.Count, "block", ("sparsity", runner.Block.Linears.Average(linear => linear.Sparsity())));
        }
    }

    private static void Prune(DecoderBlock block, Linear linear, DsnotMoments moments, Parameters parameters)
    {
        using var scope = NewDisposeScope();
        var pattern = SparsityPattern.Parse(parameters.Pattern);
        var scored = parameters.Initial == InitialMask.Wanda ? moments.MeanSquare : ones_like(moments.MeanSquare);
        var mask = WandaPrune.Mask(linear.Weight, scored, parameters.Sparsity, pattern, linear.Name);
        if (parameters.Refine == RefinedPart.All || block.Attention?.Linears.Contains(linear) == true)
        {
            var options = new DsnotOptions(parameters.Cycles, parameters.Threshold, parameters.Power, pattern, parameters.Formula);
            mask = Dsnot.Refine(linear.Weight, mask, moments, options, linear.Name);
        }

        linear.SetWeight(linear.Weight.masked_fill(mask, 0));
    }
}

/// <summary>Whose mask DSnoT starts from.</summary>
public enum InitialMask
{
    [Description("|weight| × input norm, in each row")]
    Wanda,

    [Description("|weight|, in each row")]
    Magnitude,
}

/// <summary>What DSnoT refines.</summary>
public enum RefinedPart
{
    [Description("All linears of the blocks")]
    All,

    [Description("Those of the attention, as the released code does by default")]
    Attention,
}
