using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using Pipelines.Activities.Modeling;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>
/// How much of a text a model says by heart: given the beginning of a piece, whether it goes on as the text does. Exact and
/// fractional extraction rate of arXiv:2409.13853. For text that the model was trained on: before and after compression. With
/// dynamic soft prompts the same once more, where what stands before a beginning was trained to draw more out.
/// </summary>
[Description("Share of a text that a model says by heart, given the beginning of a piece of it; with trained soft prompts on wish")]
public sealed class EvaluateMemorization
    : Activity<EvaluateMemorization.Inputs, EvaluateMemorization.Parameters, EvaluateMemorization.Outputs>
{
    public sealed record Inputs(Checkpoint Model, Dataset Data);

    public sealed record Parameters(
        [property: Range(1, 1 << 20), Description("Tokens that the model is given")] int Prefix = 50,
        [property: Range(1, 1 << 20), Description("Tokens that it should say")] int Suffix = 50,
        [property: Range(1, 1 << 20), Description("Tokens from the begin of one piece to the next; prefix and suffix when absent")] int? Stride = null,
        [property: Range(1, int.MaxValue), Description("The first so many pieces; all when absent")] int? Windows = null,
        [property: Range(1, 4096), Description("Pieces that are run together; does not change the result")] int Batch = 8,
        [property: Range(0, 1 << 20), Description("Rows of a soft prompt, made of as many last tokens of the prefix; its generator is trained on the pieces behind the first 'windows'. 0 for none")]
        int Prompt = 0,
        [property: Range(1, 64), Description("Blocks of the generator")] int PromptBlocks = 1,
        [property: Range(1, 1_000_000), Description("Steps that the generator is trained")] int PromptSteps = 300,
        [property: Range(1, 4096), Description("Pieces in a batch of its training")] int PromptBatch = 16,
        [property: Range(1e-7, 1.0), Description("Its highest learning rate")] double PromptRate = 1e-3,
        [property: Range(1e-7, 1.0), Description("That of its embedding")] double EmbeddingRate = 1e-3,
        [property: Description("Of its initial values and of the order of the pieces")] long Seed = 0);

    public sealed record Outputs(MemorizationMeasurement Measurement);

    public override string Kind => "evaluate.memorization";

    public override async Task<Outputs> RunAsync(
        Inputs inputs, Parameters parameters, StageContext stage, CancellationToken cancellation)
    {
        using var model = await stage.LoadModelAsync(inputs.Model, cancellation);
        var network = model.Network;
        var (length, context) = (parameters.Prefix + parameters.Suffix, network.Config.MaxPositionEmbeddings);
        if (parameters.Prompt + length > context)
        {
            var named = parameters.Prompt > 0 ? "prompt, prefix and suffix" : "prefix and suffix";
            throw new StageException($"{named} are {parameters.Prompt + length} tokens, but the model reads at most {context}");
        }

        if (parameters.Prompt > parameters.Prefix)
            throw new StageException($"a prompt of {parameters.Prompt} rows is made of as many tokens, but the prefix has {parameters.Prefix}");
        using var tokens = await stage.TokensAsync(inputs.Data, model, null, cancellation);
        using var scope = NewDisposeScope();
        var stride = parameters.Stride ?? length;
        var all = Memorization.Windows(tokens, length, stride);
        var windows = parameters.Windows < all.shape[0] ? all.narrow(0, 0, parameters.Windows.Value) : all;
        var behind = Memorization.Behind(windows.shape[0], all.shape[0] / tokens.shape[0], length, stride);
        if (parameters.Prompt > 0 && behind >= all.shape[0])
            throw new StageException($"no piece is left to train soft prompts on behind the {windows.shape[0]} that are tested: test fewer ('windows')");
        var (count, clock) = (windows.shape[0], Stopwatch.StartNew());
        var result = Memorization.Measure(
            windows, parameters.Prefix, (given, suffix) => network.Continue(given, suffix), parameters.Batch,
            done => stage.Report(done, count, "window", ("tokens/s", done * parameters.Suffix / clock.Elapsed.TotalSeconds)),
            cancellation);
        var prompted = parameters.Prompt == 0
            ? null
            : new SoftPrompts(
                parameters.Prompt, parameters.PromptBlocks, parameters.PromptSteps, parameters.PromptBatch, parameters.PromptRate,
                parameters.EmbeddingRate, parameters.Seed).Measure(
                    network, windows, all.narrow(0, behind, all.shape[0] - behind), parameters.Prefix, parameters.Batch, stage, cancellation);
        return new Outputs(new MemorizationMeasurement(
            $"memorization-1:data={Protocol.Short(inputs.Data.Hash)}:tokenizer={Protocol.Short(model.Tokenizer.Sha256)}"
                + $":prefix={parameters.Prefix}:suffix={parameters.Suffix}:stride={stride}:windows={count}",
            count, result.Exact, result.Fractional, result.StandardError,
            network.ParameterCount(), network.NonzeroCount(), model.FileBytes(), prompted));
    }
}
