using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Experts;

/// <summary>
/// ToMoE (Gao et al., arXiv:2501.15316), of the MLPs: divides each dense MLP into experts of its own neurons, so that a
/// token meets a fixed share of them. Router and division are trained together against the dense model; no weight changes. The
/// paper's masks of value channels for each token, and of query and key channels, are not made here.
/// </summary>
[Description("Turns dense MLPs into experts of their own neurons: a token meets a fixed share of them")]
public sealed class ToMoePrune : Activity<ToMoePrune.Inputs, ToMoePrune.Parameters, ToMoePrune.Outputs>
{
    private const double BudgetWeight = 16;

    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(0.02, 1.0), Description("Share of the MLPs' parameters that a token meets")] double Active = 0.5,
        [property: Range(1, 256), Description("Experts of an MLP; with one it is static pruning")] int Experts = 8,
        [property: Range(1, 1_000_000), Description("Training steps")] int Steps = 1200,
        [property: Range(1, 4096), Description("Sequences in a batch")] int Batch = 4,
        [property: Range(1e-7, 1.0), Description("The highest learning rate")] double LearningRate = 3e-3,
        [property: Description("Of initial values, noise and the order of the data")] long Seed = 0,
        [property: Description("What makes the experts' masks while they are trained")] ExpertDecoder Decoder = ExpertDecoder.Own);

    /// <param name="Active">Share of the MLPs' parameters that a token meets.</param>
    /// <param name="Loss">Mean of the last steps, penalties counted.</param>
    public sealed record Outputs(Checkpoint Model, double Active, double Loss);

    public override string Kind => "prune.tomoe";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        using var gates = new ExpertGates(model.Network, parameters.Experts, parameters.Seed, parameters.Decoder);
        var batches = new TokenBatches(tokens, parameters.Batch, parameters.Seed);
        var loss = new TrainingLoop(parameters.Steps, parameters.LearningRate, 0.05).Run(
            (batch, step) => Loss(model.Network, gates, batch, parameters, step), gates.Trained, batches, stage, cancellation);
        var dense = model.Network.Blocks.Sum(block => (long)(block.Mlp?.IntermediateSize ?? 0));
        using var ungraded = no_grad();
        Divide(model.Network, gates, parameters.Active);
        var active = model.Network.Blocks.Sum(block => (long)(block.Mlp?.Experts?.Width ?? 0));
        foreach (var (index, block) in model.Network.Blocks.Index())
            stage.Log($"block {index}: {block.Mlp?.Experts?.Count} experts of {block.Mlp?.Experts?.Width} neurons, {block.Mlp?.IntermediateSize} in all");
        return new Outputs(await stage.SaveModelAsync(model, cancellation), (double)active / dense, loss);
    }

    /// <summary><c>2 KL(dense ‖ routed) + penalties</c>, for one batch.</summary>
    /// <param name="batch">[B, T], int64.</param>
    public static Tensor Loss(CausalLM model, ExpertGates gates, Tensor batch, Parameters parameters, int step)
    {
        using var scope = NewDisposeScope();
        gates.Draw(parameters.Seed * 1_000_003 + step);
        Tensor teacher;
        using (no_grad())
            teacher = model.Forward(batch).log_softmax(-1);
        var student = model.Forward(batch, gates).log_softmax(-1);
        var divergence = (teacher.exp() * (teacher - student)).sum([-1L]).mean();
        return (divergence * 2 + gates.Penalty(parameters.Active, BudgetWeight)).MoveToOuterDisposeScope();
    }

    /// <summary>Puts the frozen experts in the model; neurons in none of them go.</summary>
    public static void Divide(CausalLM model, ExpertGates gates, double active)
    {
        using var scope = NewDisposeScope();
        var frozen = gates.Freeze(active);
        var layer = 0;
        foreach (var (index, block) in model.Blocks.Index())
        {
            if (block.Mlp is not { } mlp)
                continue;
            var experts = frozen[layer];
            int[] used = [.. experts.SelectMany(expert => expert).Distinct().Order()];
            ModelUnits.Neurons(mlp, index).Keep(used);
            var position = used.Index().ToDictionary(neuron => neuron.Item, neuron => (long)neuron.Index);
            var members = tensor(experts.SelectMany(expert => expert.Select(neuron => position[neuron])).ToArray(), device: model.Device);
            mlp.SetExperts(new Pipelines.Models.Experts(
                new Linear($"{model.Config.Names.Layer(index)}.mlp.router", gates.Router(layer).DetachFromDisposeScope(), null),
                members.view(experts.Length, -1).DetachFromDisposeScope()));
            layer++;
        }
    }
}
