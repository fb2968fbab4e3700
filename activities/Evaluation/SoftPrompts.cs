using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>Trains a generator of soft prompts on pieces of a text, and measures on others what it makes the model say.</summary>
/// <param name="Length">Rows of a prompt.</param>
/// <param name="Blocks">Of the generator.</param>
/// <param name="EmbeddingRate">The highest learning rate of its embedding.</param>
internal sealed record SoftPrompts(
    int Length, int Blocks, int Steps, int Batch, double LearningRate, double EmbeddingRate, long Seed)
{
    /// <summary>How a number was come by; numbers of different methods are not compared.</summary>
    public string Method(long trained) => FormattableString.Invariant(
        $"soft-prompt-1:length={Length}:blocks={Blocks}:trained={trained}:steps={Steps}:batch={Batch}:rate={LearningRate}:embedding={EmbeddingRate}:seed={Seed}");

    /// <param name="tested">[windows, prefix + suffix], int64.</param>
    /// <param name="others">Likewise; none shares a token with those that are tested.</param>
    public PromptedMemorization Measure(
        CausalLM model, Tensor tested, Tensor others, int prefix, int batch, StageContext stage, CancellationToken cancellation)
    {
        using var generator = new SoftPromptGenerator(model, Length, Blocks, Seed);
        var loop = new TrainingLoop(Steps, LearningRate, 0) { Beta2 = 0.999 };
        var trained = loop.Run(
            (windows, _) => generator.Loss(windows, prefix),
            [
                new TrainedGroup([generator.Embedding], step => loop.RateAt(step) * (EmbeddingRate / LearningRate), 0),
                new TrainedGroup(generator.Others, loop.RateAt, 0),
            ],
            new TokenBatches(others, Batch, Seed).At, stage, cancellation);
        stage.Log(FormattableString.Invariant($"trained on {others.shape[0]} pieces: the loss of their suffixes is {trained:f4} in the last steps"));
        var result = Memorization.Measure(
            tested, prefix, (given, count) => Continue(generator, given, count), batch,
            done => stage.Report(done, tested.shape[0], "window with a prompt"), cancellation);
        return new PromptedMemorization(
            Method(others.shape[0]), result.Exact, result.Fractional, result.StandardError,
            Mean(windows => generator.Loss(windows, prefix)), Mean(windows => SoftPromptGenerator.SuffixLoss(model, windows, prefix, null)));

        Tensor Continue(SoftPromptGenerator prompts, Tensor given, int count)
        {
            using var prompt = prompts.Prompt(given);
            return model.Continue(given, count, prompt);
        }

        double Mean(Func<Tensor, Tensor> lossOf)
        {
            using var ungraded = no_grad();
            var sum = 0.0;
            for (var at = 0L; at < tested.shape[0]; at += batch)
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var windows = tested.narrow(0, at, Math.Min(batch, tested.shape[0] - at));
                sum += lossOf(windows).ToDouble() * windows.shape[0];
            }

            return sum / tested.shape[0];
        }
    }
}
