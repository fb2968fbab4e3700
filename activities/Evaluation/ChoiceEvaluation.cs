using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>How often a model finds the right answer likeliest.</summary>
/// <param name="Accuracy">By the sum of log-probabilities.</param>
/// <param name="StandardError">Of the accuracy; null for a single item.</param>
/// <param name="NormalizedAccuracy">By the sum divided by the choice's characters.</param>
/// <param name="NormalizedStandardError">Of the normalized accuracy.</param>
/// <param name="Truncated">Prompts that were longer than the model's context.</param>
public sealed record ChoiceResult(
    int Items, double Accuracy, double? StandardError, double NormalizedAccuracy, double? NormalizedStandardError, int Truncated);

/// <summary>
/// Zero-shot multiple choice with the rules of EleutherAI's lm-evaluation-harness: its <c>acc</c> and <c>acc_norm</c>.
/// </summary>
public static class ChoiceEvaluation
{
    /// <param name="encode">The tokenizer, without special tokens.</param>
    /// <param name="begin">Put before every context; null where the model was trained without.</param>
    /// <param name="context">Tokens that the model reads at most.</param>
    /// <param name="logits">int64 [B, T] → [B, T, vocabulary].</param>
    /// <param name="batch">Prompts that are run together; does not change the result.</param>
    /// <param name="report">Told how many prompts are done, of how many.</param>
    /// <exception cref="StageException">An item cannot be scored, or the model gives no numbers.</exception>
    public static ChoiceResult Run(
        IReadOnlyList<ChoiceItem> items, Func<string, int[]> encode, int? begin, int context, Func<Tensor, Tensor> logits,
        int batch, Action<long, long> report, CancellationToken cancellation)
    {
        var prompts = items.SelectMany(item => Prompts(item, encode, begin, context)).ToArray();
        var scores = ChoiceScorer.LogLikelihoods(
            [.. prompts.Select(prompt => prompt.Cut)], logits, batch, done => report(done, prompts.Length), cancellation);
        var (right, rightNormalized, at) = (0, 0, 0);
        foreach (var item in items)
        {
            var mine = scores[at..(at += item.Choices.Count)];
            if (mine.Any(double.IsNaN))
                throw new StageException($"line {item.Line}: a score is no number: the model's weights or activations hold NaN");
            right += Likeliest(mine) == item.Answer ? 1 : 0;
            rightNormalized += Likeliest(Normalize(mine, item.Choices)) == item.Answer ? 1 : 0;
        }

        return new ChoiceResult(
            items.Count, (double)right / items.Count, StandardError(right, items.Count),
            (double)rightNormalized / items.Count, StandardError(rightNormalized, items.Count),
            prompts.Count(prompt => prompt.Cut != prompt.Whole));
    }

    private static (ChoicePrompt Whole, ChoicePrompt Cut)[] Prompts(
        ChoiceItem item, Func<string, int[]> encode, int? begin, int context)
    {
        try
        {
            return [.. item.Contexts
                .Zip(item.Choices, (left, right) => ChoicePrompt.Of(left, right, encode, begin))
                .Select(prompt => (prompt, prompt.Truncate(context)))];
        }
        catch (StageException error)
        {
            throw new StageException($"line {item.Line}: {error.Message}", error);
        }
    }

    /// <summary>The index of the largest; of several that are equal, the first.</summary>
    public static int Likeliest(double[] scores)
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
        {
            if (scores[i] > scores[best])
                best = i;
        }

        return best;
    }

    /// <summary>Per character of the choice: of Unicode, so that a letter beyond the first 65,536 counts once.</summary>
    public static double[] Normalize(double[] scores, IReadOnlyList<string> choices) =>
        [.. scores.Zip(choices, (score, choice) => score / choice.EnumerateRunes().Count())];

    /// <summary>Of a share of <paramref name="right"/> in <paramref name="count"/>, from the sample's variance.</summary>
    public static double? StandardError(int right, int count)
    {
        var share = (double)right / count;
        return count > 1 ? Math.Sqrt(share * (1 - share) / (count - 1)) : null;
    }
}
