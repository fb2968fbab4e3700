using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>How likely a causal model finds continuations.</summary>
public static class ChoiceScorer
{
    /// <summary>
    /// The sum of the log-probabilities of each prompt's continuation, in double. Prompts of like length are run together,
    /// filled up on the right, where a causal model does not look.
    /// </summary>
    /// <param name="logits">int64 [B, T] → [B, T, vocabulary]; the result is disposed of.</param>
    /// <param name="batch">Prompts that are run together.</param>
    /// <param name="report">Told how many are done.</param>
    /// <returns>In the order of the prompts.</returns>
    public static double[] LogLikelihoods(
        IReadOnlyList<ChoicePrompt> prompts, Func<Tensor, Tensor> logits, int batch, Action<long> report,
        CancellationToken cancellation)
    {
        using var ungraded = no_grad();
        var sums = new double[prompts.Count];
        var order = Enumerable.Range(0, prompts.Count).OrderByDescending(index => prompts[index].Tokens.Length).ToArray();
        var done = 0;
        foreach (var group in order.Chunk(batch))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var scores = logits(Pad([.. group.Select(index => prompts[index])]));
            foreach (var (row, index) in group.Index())
                sums[index] = Sum(scores[row], prompts[index]);
            report(done += group.Length);
        }

        return sums;
    }

    // The last token is predicted and not read.
    private static Tensor Pad(ChoicePrompt[] prompts)
    {
        var length = prompts.Max(prompt => prompt.Tokens.Length) - 1;
        var flat = new long[prompts.Length * length];
        for (var row = 0; row < prompts.Length; row++)
        {
            for (var i = 0; i < prompts[row].Tokens.Length - 1; i++)
                flat[row * length + i] = prompts[row].Tokens[i];
        }

        return tensor(flat).view(prompts.Length, length);
    }

    private static double Sum(Tensor scores, ChoicePrompt prompt)
    {
        var (tokens, count) = prompt;
        var targets = tensor(tokens[^count..].Select(token => (long)token).ToArray(), device: scores.device);
        return scores.narrow(0, tokens.Length - 1 - count, count)
            .to(ScalarType.Float64)
            .log_softmax(-1)
            .gather(-1, targets.unsqueeze(-1))
            .sum().ToDouble();
    }
}
