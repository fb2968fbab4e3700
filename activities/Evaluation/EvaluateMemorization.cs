using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// How much of a text a model says by heart: given the beginning of a piece, whether it goes on as the text does. Exact and
/// fractional extraction rate of arXiv:2409.13853. For text that the model was trained on: before and after compression.
/// </summary>
[Description("Share of a text that a model says by heart, given the beginning of a piece of it")]
public sealed class EvaluateMemorization
    : Activity<EvaluateMemorization.Inputs, EvaluateMemorization.Parameters, EvaluateMemorization.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(1, 1 << 20), Description("Tokens that the model is given")] int Prefix = 50,
        [property: Range(1, 1 << 20), Description("Tokens that it should say")] int Suffix = 50,
        [property: Range(1, 1 << 20), Description("Tokens from the begin of one piece to the next; prefix and suffix when absent")] int? Stride = null,
        [property: Range(1, int.MaxValue), Description("The first so many pieces; all when absent")] int? Windows = null,
        [property: Range(1, 4096), Description("Pieces that are run together; does not change the result")] int Batch = 8);

    public sealed record Outputs(MemorizationMeasurement Measurement);

    public override string Kind => "evaluate.memorization";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        var network = model.Network;
        var (length, context) = (parameters.Prefix + parameters.Suffix, network.Config.MaxPositionEmbeddings);
        if (length > context)
            throw new StageException($"prefix and suffix are {length} tokens, but the model reads at most {context}");
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        using var scope = NewDisposeScope();
        var stride = parameters.Stride ?? length;
        var windows = Memorization.Windows(tokens, length, stride);
        if (parameters.Windows < windows.shape[0])
            windows = windows.narrow(0, 0, parameters.Windows.Value);
        var (count, clock) = (windows.shape[0], Stopwatch.StartNew());
        var result = Memorization.Measure(
            windows, parameters.Prefix, network.Continue, parameters.Batch,
            done => stage.Report(done, count, "window", ("tokens/s", done * parameters.Suffix / clock.Elapsed.TotalSeconds)),
            cancellation);
        return new Outputs(new MemorizationMeasurement(
            $"memorization-1:data={Protocol.Short(inputs.Data.Hash)}:tokenizer={Protocol.Short(model.Tokenizer.Sha256)}"
                + $":prefix={parameters.Prefix}:suffix={parameters.Suffix}:stride={stride}:windows={count}",
            count, result.Exact, result.Fractional, result.StandardError,
            network.ParameterCount(), network.NonzeroCount(), model.FileBytes()));
    }
}
