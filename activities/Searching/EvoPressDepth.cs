using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Allocation;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Searching;

/// <summary>
/// EvoPress (Sieberling et al., arXiv:2410.14649) for depth: an evolutionary search for which attentions and which MLPs to
/// leave out, as many of the one as of the other.
/// </summary>
[Description("Searches for the attentions and MLPs whose removal changes the model's predictions least")]
public sealed class EvoPressDepth : Activity<EvoPressDepth.Inputs, EvoPressDepth.Parameters, EvoPressDepth.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Calibration);

    public sealed record Parameters(
        [property: Range(0.0, 0.95), Description("Share of the blocks whose attention goes, and whose MLP goes")] double Ratio = 0.25,
        [property: Range(0, 100_000), Description("Generations; 0 for as many as the released code takes: k (n − k) / 1.5")] int Generations = 0,
        [property: Range(1, 10_000), Description("Candidates in a generation")] int Offspring = 32,
        [property: Range(1, 1_000_000_000), Description("Tokens of the first selection of a generation")] int FirstTokens = 2048,
        [property: Range(1, 1_000_000_000), Description("Tokens of the last")] int LastTokens = 32_768,
        [property: Description("Of every draw")] long Seed = 0);

    /// <param name="Divergence">KL(dense ‖ pruned) of what was found, on the tokens of its last selection; nats per token.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Divergence);

    public override string Kind => "prune.evopress-depth";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var tokens = await stage.TokensAsync(inputs.Calibration, model, null, cancellation);
        using var ungraded = no_grad();
        var found = Search(model.Network, tokens, parameters, stage, cancellation);
        var (attention, mlp) = DepthSpace.Dropped(found.Levels);
        var decision = new PruningDecision(inputs.Model.Hash, Kind, []) { RemovedAttention = Where(attention), RemovedMlp = Where(mlp) };
        stage.Log($"attention goes in blocks {string.Join(", ", decision.RemovedAttention)}; the MLP in {string.Join(", ", decision.RemovedMlp)}");
        decision.Apply(model.Network, null, stage, cancellation);
        return new Outputs(
            await stage.SaveModelAsync(model, cancellation), await stage.SaveDecisionAsync(decision, cancellation), found.Fitness ?? double.NaN);
    }

    /// <param name="tokens">[sequences, length], int64.</param>
    /// <exception cref="StageException">The ratio leaves nothing to choose.</exception>
    public static SearchState Search(
        CausalLM model, Tensor tokens, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var blocks = model.Blocks.Count;
        var removed = (int)(blocks * parameters.Ratio);
        if (removed == 0 || model.Blocks.Any(block => block.Attention is null || block.Mlp is null))
        {
            throw new StageException(removed == 0
                ? $"{parameters.Ratio:P0} of {blocks} blocks is less than one: choose a higher ratio"
                : "some halves of blocks are gone already: search on a model that is whole");
        }

        using var fitness = new TokenFitness(model, tokens);
        var options = SearchOptions.Depth(blocks, removed) with
        {
            Offspring = parameters.Offspring,
            Stages = [new(2, parameters.FirstTokens), new(1, parameters.LastTokens)],
            Seed = (ulong)parameters.Seed,
        };
        if (parameters.Generations > 0)
            options = options with { Generations = parameters.Generations };
        return KeptSearch.Run(
            DepthSpace.Create(blocks, removed), options,
            (levels, batch) => fitness.Of(batch, row => model.Forward(row, new Dropped(model, levels))), stage, cancellation);
    }

    private static int[] Where(bool[] dropped) => [.. dropped.Index().Where(block => block.Item).Select(block => block.Index)];

    private sealed class Dropped : LinearHook
    {
        private readonly HashSet<object> halves = [];

        public Dropped(CausalLM model, IReadOnlyList<int> levels)
        {
            var (attention, mlp) = DepthSpace.Dropped(levels);
            foreach (var (index, block) in model.Blocks.Index())
            {
                if (attention[index])
                    halves.Add(block.Attention!);
                if (mlp[index])
                    halves.Add(block.Mlp!);
            }
        }

        public override bool Skips(object half) => halves.Contains(half);
    }
}
