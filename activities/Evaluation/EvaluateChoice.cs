using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using System.Globalization;
using Pipelines.Activities.Data;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// Zero-shot multiple choice: the choice that the model finds likeliest after its context counts as its answer. The rules
/// are those of EleutherAI's lm-evaluation-harness, whose <c>acc</c> and <c>acc_norm</c> these are.
/// </summary>
[Description("Share of multiple-choice questions that a model answers rightly, by likelihood")]
public sealed class EvaluateChoice : Activity<EvaluateChoice.Inputs, EvaluateChoice.Parameters, EvaluateChoice.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Choices Choices);

    public sealed record Parameters(
        [property: Range(1, int.MaxValue), Description("The first so many questions; all when absent")] int? Items = null,
        [property: Description("A token to put before every context, as the model was trained: <s>; none when absent")] string? Begin = null,
        [property: Range(1, 4096), Description("Prompts that are run together; does not change the result")] int Batch = 8);

    public sealed record Outputs(ChoiceMeasurement Measurement);

    public override string Kind => "evaluate.choice";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        var items = await ChoiceData.OpenAsync(stage.Artifacts, inputs.Choices, cancellation);
        if (parameters.Items < items.Count)
            items = [.. items.Take(parameters.Items.Value)];
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        var begin = Begin(model, parameters.Begin);
        var network = model.Network;
        var clock = Stopwatch.StartNew();
        var result = ChoiceEvaluation.Run(
            items, model.Encode, begin, network.Config.MaxPositionEmbeddings,
            tokens => network.Forward(tokens.to(network.Device)), parameters.Batch,
            (done, total) => stage.Report(done, total, "prompt", ("prompts/s", done / clock.Elapsed.TotalSeconds)), cancellation);
        if (result.Truncated > 0)
            stage.Log($"{result.Truncated} prompts are longer than the model's context and lost their beginning");
        return new Outputs(new ChoiceMeasurement(
            Named(inputs.Choices, model, result.Items, begin), result.Items, result.Accuracy, result.StandardError,
            result.NormalizedAccuracy, result.NormalizedStandardError, result.Truncated,
            network.ParameterCount(), network.NonzeroCount(), model.FileBytes()));
    }

    private static int? Begin(LoadedModel model, string? token) => token is null
        ? null
        : model.Encode(token) is [var id]
            ? id
            : throw new StageException($"begin is '{token}': expected one token of the model's tokenizer, as <s>");

    /// <summary>Rules and version, questions, tokenizer, the model's context, and what stands before every prompt.</summary>
    private static string Named(Choices choices, LoadedModel model, int count, int? begin) =>
        $"choice-1:items={Protocol.Short(choices.Hash)}:count={count}:tokenizer={Protocol.Short(model.Tokenizer.Sha256)}"
        + $":context={model.Network.Config.MaxPositionEmbeddings}:begin={begin?.ToString(CultureInfo.InvariantCulture) ?? "none"}";
}
