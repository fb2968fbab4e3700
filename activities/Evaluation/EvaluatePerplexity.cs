using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// Perplexity over windows that do not overlap: exp of the mean negative log-likelihood of every token but the first of
/// its window; the remainder of the text is dropped; summed in double. The protocol of Wanda's and FLAP's tables.
/// </summary>
[Description("Perplexity over windows of a text, and the model's size")]
public sealed class EvaluatePerplexity
    : Activity<EvaluatePerplexity.Inputs, EvaluatePerplexity.Parameters, EvaluatePerplexity.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(1, 4096), Description("Windows that are run together; does not change the result")] int Batch = 8);

    public sealed record Outputs(Measurement Measurement);

    public override string Kind => "evaluate.perplexity";

    public override int Version => 2;

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        var (windows, length) = (tokens.shape[0], tokens.shape[1]);
        var clock = Stopwatch.StartNew();
        var sum = 0.0;
        for (long start = 0; start < windows; start += parameters.Batch)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(parameters.Batch, windows - start);
            using var batch = tokens.narrow(0, start, count);
            sum += model.Network.NegativeLogLikelihood(batch);
            var done = start + count;
            stage.Report(
                done, windows, "window", ("perplexity", Math.Exp(sum / (done * (length - 1)))),
                ("tokens/s", done * length / clock.Elapsed.TotalSeconds));
        }

        var perplexity = Math.Exp(sum / (windows * (length - 1)));
        if (!double.IsFinite(perplexity))
            throw new StageException($"the perplexity is {perplexity}: the model's weights or activations hold NaN or infinity");
        return new Outputs(new Measurement(
            Named(inputs.Data, model, windows, length), perplexity, model.Network.ParameterCount(),
            model.Network.NonzeroCount(), model.FileBytes(), ModelFlops.PerToken(model.Network, (int)length)));
    }

    /// <summary>Metric and version, text, tokenizer, window length and stride, number of windows.</summary>
    private static string Named(Dataset data, LoadedModel model, long windows, long length) =>
        $"perplexity-1:data={Protocol.Short(data.Hash)}:tokenizer={Protocol.Short(model.Tokenizer.Sha256)}"
        + $":length={length}:stride={length}:windows={windows}";
}
