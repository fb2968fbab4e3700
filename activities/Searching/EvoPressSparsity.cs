using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Allocation;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Searching;

/// <summary>
/// EvoPress (Sieberling et al., arXiv:2410.14649) for unstructured sparsity: an evolutionary search for how sparse each linear
/// should be, at a constant number of zeros, over a database of every linear at several levels.
/// </summary>
[Description("Searches for the sparsity of each linear at a constant total, over SparseGPT's weights at several levels")]
public sealed class EvoPressSparsity : Activity<EvoPressSparsity.Inputs, EvoPressSparsity.Parameters, EvoPressSparsity.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Calibration);

    public sealed record Parameters(
        [property: Range(0.05, 0.95), Description("Share of the weights to zero, over all linears")] double Sparsity = 0.7,
        [property: Range(1, 32), Description("Levels above and below the uniform sparsity")] int Levels = 4,
        [property: Range(0.001, 0.5), Description("Weights of a level, as a share of the smallest linear's")] double Step = 0.05,
        [property: Range(1, 100_000), Description("Generations")] int Generations = 100,
        [property: Range(1, 10_000), Description("Candidates in a generation")] int Offspring = 16,
        [property: Range(1, 1_000_000_000), Description("Tokens of the first selection of a generation")] int FirstTokens = 1024,
        [property: Range(1, 1_000_000_000), Description("Tokens of the last")] int LastTokens = 8192,
        [property: Range(1, 1_000_000), Description("Sequences that SparseGPT is calibrated on, at most")] int Sequences = 128,
        [property: Description("Of every draw")] long Seed = 0);

    /// <param name="Divergence">KL(dense ‖ pruned) of what was found, on the tokens of its last selection; nats per token.</param>
    public sealed record Outputs(Checkpoint Model, double Sparsity, double Divergence);

    public override string Kind => "prune.evopress-sparsity";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var dense = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var tokens = await stage.TokensAsync(inputs.Calibration, dense, null, cancellation);
        using var ungraded = no_grad();
        using var calibration = tokens.narrow(0, 0, Math.Min(parameters.Sequences, tokens.shape[0]));
        using var database = LevelDatabase.Create(
            dense.Network, calibration, stage.Scratch, parameters.Sparsity, parameters.Levels, parameters.Step, stage.Report, cancellation);
        var found = Search(dense.Network, model.Network, database, tokens, parameters, stage, cancellation);
        foreach (var (linear, level) in database.Linears.Zip(found.Levels))
            stage.Log($"{linear.Name}: {database.At(linear, level):P1} zeros");
        return new Outputs(await stage.SaveModelAsync(model, cancellation), model.Sparsity(), found.Fitness ?? double.NaN);
    }

    /// <summary>Leaves in <paramref name="model"/> what was found.</summary>
    /// <param name="tokens">[sequences, length], int64: candidates are judged on draws of them.</param>
    public static SearchState Search(
        CausalLM dense, CausalLM model, LevelDatabase database, Tensor tokens, Parameters parameters, StageContext stage,
        CancellationToken cancellation)
    {
        var units = database.Linears.Select(linear =>
        {
            var (lowest, highest) = database.Bounds(linear);
            return new LevelUnit(linear.Name, lowest, highest);
        }).ToArray();
        var assembly = new Assembly(model, database);
        using var fitness = new TokenFitness(dense, tokens);
        var options = new SearchOptions(
            parameters.Generations, parameters.Offspring,
            [new(Math.Min(2, parameters.Offspring), parameters.FirstTokens), new(1, parameters.LastTokens)], (ulong)parameters.Seed);
        var found = KeptSearch.Run(
            new LevelSpace(units, new int[units.Length]), options,
            (levels, batch) =>
            {
                assembly.Put(levels);
                return fitness.Of(batch, row => model.Forward(row));
            },
            stage, cancellation);
        assembly.Put(found.Levels);
        return found;
    }

    /// <summary>Puts a candidate together; what is the same as in the last one stays where it is.</summary>
    private sealed class Assembly(CausalLM model, LevelDatabase database)
    {
        private readonly Linear[] own =
            [.. database.Linears.Select(linear => model.Linears().Single(one => one.Name == linear.Name))];

        private int[]? last;

        public void Put(IReadOnlyList<int> levels)
        {
            for (var unit = 0; unit < own.Length; unit++)
            {
                if (last is null || last[unit] != levels[unit])
                    own[unit].SetWeight(database.Weight(database.Linears[unit], levels[unit]).to(model.Device));
            }

            last = [.. levels];
        }
    }
}
