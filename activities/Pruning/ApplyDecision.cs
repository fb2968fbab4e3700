using System.ComponentModel;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>Cuts a model down to what a decision keeps.</summary>
[Description("Removes what a decision does not keep; the weights really become smaller")]
public sealed class ApplyDecision : Activity<ApplyDecision.Inputs, ApplyDecision.Parameters, ApplyDecision.Outputs>
{
    /// <param name="Statistics">Needed to compensate.</param>
    public sealed record Inputs(Checkpoint Model, Decision Decision, Statistics? Statistics);

    public sealed record Parameters(
        [property: Description("Put the mean of what is removed into biases; needs statistics")] bool Compensate = false);

    /// <param name="Kept">Share of the parameters that is left: of a language model, of its blocks'.</param>
    public sealed record Outputs(Checkpoint Model, double Kept);

    public override string Kind => "prune.apply";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var decision = await stage.OpenDecisionAsync(inputs.Decision, inputs.Model, cancellation);
        if (ImageConfig.Knows(inputs.Model.Architecture))
            return await ApplyAsync(inputs.Model, decision, parameters, stage, cancellation);
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var ungraded = no_grad();
        var before = model.BlockParameters();
        if (!parameters.Compensate)
        {
            decision.Apply(model.Network, null, stage, cancellation);
        }
        else
        {
            using var statistics = await stage.OpenStatisticsAsync(
                inputs.Statistics ?? throw new StageException("prune.apply compensates with the means of the inputs: connect 'statistics'"),
                inputs.Model, cancellation);
            decision.Apply(model.Network, statistics.Mean, stage, cancellation);
        }

        return new Outputs(await stage.SaveModelAsync(model, cancellation), (double)model.BlockParameters() / before);
    }

    private static async Task<Outputs> ApplyAsync(
        Checkpoint model, PruningDecision decision, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        if (parameters.Compensate)
            throw new StageException("what goes of an image network cannot be put into biases: take its batch norms' statistics anew, or train");
        using var network = await stage.LoadClassifierAsync(model, cancellation);
        var before = network.ParameterCount();
        using (no_grad())
            decision.Apply(network, stage);
        return new Outputs(await stage.SaveClassifierAsync(network, cancellation), (double)network.ParameterCount() / before);
    }
}
