using System.ComponentModel;
using Pipelines.Activities.Deciding;
using Pipelines.Activities.Modeling;
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

    /// <param name="Kept">Share of the blocks' parameters that is left.</param>
    public sealed record Outputs(Checkpoint Model, double Kept);

    public override string Kind => "prune.apply";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var decision = await stage.OpenDecisionAsync(inputs.Decision, inputs.Model, cancellation);
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
}
