using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// DISP-LLM (Gao et al., arXiv:2410.11988): every attention and MLP reads and writes channels of the residual stream of its
/// own choice, and keeps neurons of its own choice. A small network learns the choices on the text, as gates of the model,
/// which stays as it is; what the gates close is cut away afterwards.
/// </summary>
[Description("Learns which channels of the residual stream each half of a block reads and writes, and which neurons stay; cuts the rest")]
public sealed class DispLlmPrune : Activity<DispLlmPrune.Inputs, DispLlmPrune.Parameters, DispLlmPrune.Outputs>
{
    /// <param name="Data">What the choices are learned on.</param>
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(0.0, 0.95), Description("Share of the blocks' parameters to remove")] double Ratio = 0.3,
        [property: Range(1, 1_000_000), Description("Training steps of the network that chooses")] int Steps = 1000,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 8,
        [property: Range(1e-6, 1.0), Description("Its learning rate, the same at every step")] double LearningRate = 1e-3,
        [property: Range(0.0, 1000.0), Description("What it costs to be off the ratio")] double Weight = 16,
        [property: Description("What a gate multiplies by while the choices are learned")] GateValues Gates = GateValues.Hard,
        [property: Description("Of the network, of its noise and of the order of the data")] long Seed = 0);

    /// <param name="Decision">The channels and neurons that stay.</param>
    /// <param name="Kept">Share of the blocks' parameters that is left.</param>
    /// <param name="Loss">Of the last steps, with what it costs to be off the ratio.</param>
    public sealed record Outputs(Checkpoint Model, Decision Decision, double Kept, double Loss);

    public override string Kind => "prune.displlm";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        if (model.Network.Linears().Any(linear => linear.Adapter is not null))
            throw new StageException("this model carries adapters: merge them first (finetune.lora with adapters merged)");
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        var before = model.BlockParameters();
        var (open, loss) = Learn(
            model.Network, new TokenBatches(tokens, parameters.Batch, parameters.Seed), parameters, stage, cancellation);
        using var ungraded = no_grad();
        var decision = new DispLlmGates(model.Network).Decide(open, inputs.Model.Hash, Kind);
        decision.Apply(model.Network, null, stage, cancellation);
        return new Outputs(
            await stage.SaveModelAsync(model, cancellation), await stage.SaveDecisionAsync(decision, cancellation),
            (double)model.BlockParameters() / before, loss);
    }

    /// <summary>Trains the network and freezes its gates; the model stays as it is.</summary>
    /// <returns>The open gates of each vector of <see cref="DispLlmGates"/>, and the mean loss of the last steps.</returns>
    public static (int[][] Open, double Loss) Learn(
        CausalLM model, TokenBatches batches, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var gates = new DispLlmGates(model);
        var (gate, kept) = (new GumbelSigmoid(), 1 - parameters.Ratio);
        using var generator = GateNoise.At(parameters.Seed, -1);
        using var network = new HyperNetwork(gates.Sizes, generator, model.Device);
        var (language, share) = (0.0, 0.0);
        var loop = new TrainingLoop(parameters.Steps, parameters.LearningRate, 0.05)
        {
            Schedule = RateSchedule.Constant,
            Beta2 = 0.999,
            Figures = () => [("text loss", language), ("kept", share)],
        };
        var loss = loop.Run(LossOf, network.Trained, batches, stage, cancellation);
        using var scope = NewDisposeScope();
        var open = gates.Freeze(network.Forward(), kept);
        stage.Log($"kept {gates.Share(open):p2} of the blocks' parameters; the last step's gates kept {share:p2}");
        return (open, loss);

        Tensor LossOf(Tensor batch, int step)
        {
            using var scope = NewDisposeScope();
            using var noise = GateNoise.At(parameters.Seed, step);
            var soft = network.Forward().Select(logits => gate.SampleSoft(logits, noise)).ToArray();
            var hard = soft.Select(one => StraightThrough.Join(one.round(), one)).ToArray();
            var size = gates.Size(hard);
            var text = model.NextTokenLoss(batch, gates.Hook(parameters.Gates == GateValues.Hard ? hard : soft));
            (language, share) = (text.ToDouble(), size.ToDouble() / gates.FullSize);
            return (text + BudgetLoss.LogRatio(size, gates.FullSize, kept, parameters.Weight)).MoveToOuterDisposeScope();
        }
    }
}

/// <summary>What gates multiply by while they learn.</summary>
public enum GateValues
{
    [Description("0 or 1, as the paper says, with the gradient of the soft value")]
    Hard,

    [Description("Values in between, as the published code does; the size counts 0 or 1 all the same")]
    Soft,
}
