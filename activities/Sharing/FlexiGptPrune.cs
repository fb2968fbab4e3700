using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Sharing;

/// <summary>
/// FlexiGPT (Saito et al., arXiv:2501.14713): blocks that a decision removes are not left out but made of others: each uses
/// the weights of a kept block and adds a difference of low rank, behind a norm. Saves parameters, not operations.
/// </summary>
[Description("Replaces removed blocks by kept ones' weights with low-rank differences; fewer parameters, the same depth")]
public sealed class FlexiGptPrune : Activity<FlexiGptPrune.Inputs, FlexiGptPrune.Parameters, FlexiGptPrune.Outputs>
{
    /// <param name="Decision">Its wholly removed blocks are replaced.</param>
    /// <param name="Calibration">With this, the output norms' gains are fitted to what the dense blocks add.</param>
    public sealed record Inputs(Checkpoint Model, Decision Decision, Dataset? Calibration);

    public sealed record Parameters(
        [property: Range(0, 4096), Description("Rank of the difference of each linear; 0 for none")] int Rank = 16,
        [property: Range(0.0, 10.0), Description("Gain of the output norms at the start, where no calibration fits them")] double Gain = 0.01,
        [property: Range(1, 1_000_000), Description("Calibration sequences, at most")] int Sequences = 32);

    /// <param name="Kept">Share of the blocks' parameters that is left, differences and gains counted.</param>
    public sealed record Outputs(Checkpoint Model, double Kept);

    public override string Kind => "prune.flexigpt";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var decision = await stage.OpenDecisionAsync(inputs.Decision, inputs.Model, cancellation);
        int[] removed = [.. decision.RemovedAttention.Intersect(decision.RemovedMlp).Order()];
        if (removed.Length == 0 || removed.Length != decision.RemovedAttention.Count || removed.Length != decision.RemovedMlp.Count || decision.Sites.Count > 0)
            throw new StageException($"prune.flexigpt replaces whole blocks, but the decision of {decision.Method} removes something else: connect prune.shortgpt");
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var ungraded = no_grad();
        var before = Size(model.Network);
        Replace(model.Network, removed, parameters, stage, cancellation);
        if (inputs.Calibration is { } calibration)
        {
            using var tokens = await stage.TokensAsync(calibration, model, parameters.Sequences, cancellation);
            using var dense = await stage.LoadModelAsync(inputs.Model, cancellation);
            FitGains(dense.Network, model.Network, tokens, stage.Report, cancellation);
        }

        return new Outputs(await stage.SaveModelAsync(model, cancellation), (double)Size(model.Network) / before);
    }

    /// <summary>Every removed block is made of the kept one that suits it best.</summary>
    public static void Replace(
        CausalLM model, IReadOnlyList<int> removed, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        int[] kept = [.. Enumerable.Range(0, model.Blocks.Count).Except(removed)];
        if (kept.Length == 0)
            throw new StageException("no block would be left to use: choose a lower ratio");
        foreach (var (index, block) in removed.Index())
        {
            cancellation.ThrowIfCancellationRequested();
            var owner = SharedChoice.Nearest(model, block, kept, parameters.Rank);
            model.ReplaceBlock(block, SharedBlock.Create(model, block, owner, parameters.Rank, parameters.Gain));
            stage.Log($"block {block} uses the weights of block {owner}");
            stage.Report(index + 1, removed.Count, "block");
        }
    }

    /// <summary>
    /// Walks both models at once; each half of a shared block gets the gains that bring the stream back to the dense one's.
    /// </summary>
    /// <param name="tokens">[sequences, length], int64.</param>
    public static void FitGains(CausalLM dense, CausalLM shared, Tensor tokens, ReportProgress report, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var positions = shared.Positions(tokens.shape[1]);
        var (wanted, given) = (dense.Embed(tokens), shared.Embed(tokens));
        for (var index = 0; index < shared.Blocks.Count; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (target, block) = (dense.Blocks[index], shared.Blocks[index]);
            if (block.AttentionOutputNorm is not null)
                Fit(target, block, wanted, given, positions);
            Advance(target, wanted, positions);
            Advance(block, given, positions);
            report(index + 1, shared.Blocks.Count, "block");
        }
    }

    private static void Fit(DecoderBlock dense, DecoderBlock shared, Tensor wanted, Tensor given, Positions positions)
    {
        using var scope = NewDisposeScope();
        using var attention = new OutputGain(wanted.shape[^1]);
        using var mlp = new OutputGain(wanted.shape[^1]);

        // A parallel block's halves are fitted one after the other too: the second to what the first leaves over.
        foreach (var (want, give) in Rows(wanted).Zip(Rows(given)))
        {
            using var row = NewDisposeScope();
            attention.Add(Plain(shared.Attention!.Forward(shared.AttentionNorm.Forward(give), positions, null)), Attended(dense, want, positions) - give);
        }

        shared.AttentionOutputNorm!.SetWeight(attention.Fit().to(wanted.dtype).to(wanted.device));
        foreach (var (want, give) in Rows(wanted).Zip(Rows(given)))
        {
            using var row = NewDisposeScope();
            var attended = Attended(shared, give, positions);
            var read = shared.MlpNorm?.Forward(attended) ?? shared.AttentionNorm.Forward(give);
            mlp.Add(Plain(shared.Mlp!.Forward(read, null)), dense.Forward(want, positions) - attended);
        }

        shared.MlpOutputNorm!.SetWeight(mlp.Fit().to(wanted.dtype).to(wanted.device));

        Tensor Plain(Tensor output) => nn.functional.layer_norm(output, [output.shape[^1]], eps: shared.AttentionOutputNorm!.Epsilon);
    }

    /// <summary>The residual stream behind the attention.</summary>
    private static Tensor Attended(DecoderBlock block, Tensor hidden, Positions positions)
    {
        var output = block.Attention!.Forward(block.AttentionNorm.Forward(hidden), positions, null);
        return hidden + (block.AttentionOutputNorm?.Forward(output) ?? output);
    }

    private static void Advance(DecoderBlock block, Tensor hidden, Positions positions)
    {
        foreach (var row in Rows(hidden))
        {
            using var next = block.Forward(row, positions);
            row.copy_(next);
            row.Dispose();
        }
    }

    private static IEnumerable<Tensor> Rows(Tensor hidden) =>
        Enumerable.Range(0, (int)hidden.shape[0]).Select(row => hidden.narrow(0, row, 1));

    private static long Size(CausalLM model) => model.Blocks.Sum(block => block.NamedParameters("").Sum(parameter => parameter.Tensor.numel()));
}
