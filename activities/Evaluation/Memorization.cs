using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Evaluation;

/// <summary>How much of a text a model says by heart.</summary>
/// <param name="Windows">Places in the text that were tried.</param>
/// <param name="Exact">The share of them whose suffix was reproduced whole.</param>
/// <param name="Fractional">The share of the suffixes' tokens that were reproduced in their place.</param>
/// <param name="StandardError">Of the exact rate; null for a single window.</param>
public sealed record MemorizationResult(long Windows, double Exact, double Fractional, double? StandardError);

/// <summary>
/// Extraction by prefix: the model is given a piece of a text and goes on greedily; what it says is held against the
/// text. The exact and the fractional extraction rate of arXiv:2409.13853 (after arXiv:2202.07646).
/// </summary>
public static class Memorization
{
    /// <param name="tokens">[N] or [sequences, N], int64: a text, or pieces of one.</param>
    /// <param name="length">Of a window: prefix and suffix. None reaches from one sequence into the next.</param>
    /// <param name="stride">Tokens from the begin of one window to the next.</param>
    /// <returns>[windows, length]; what is left at the end of a sequence is dropped.</returns>
    /// <exception cref="StageException">A sequence is shorter than a window.</exception>
    public static Tensor Windows(Tensor tokens, int length, int stride) => tokens.shape[^1] >= length
        ? tokens.unfold(-1, length, stride).reshape(-1, length)
        : throw new StageException(
            $"a sequence of the text has {tokens.shape[^1]} tokens: expected at least the {length} of prefix and suffix");

    /// <summary>The first window behind the first <paramref name="count"/> that shares no token with them.</summary>
    /// <param name="perSequence">Windows of each sequence.</param>
    /// <param name="length">Of a window.</param>
    /// <param name="stride">Tokens from the begin of one window to the next.</param>
    public static long Behind(long count, long perSequence, int length, int stride)
    {
        var (sequence, place) = Math.DivRem(count - 1, perSequence);
        return sequence * perSequence + Math.Min(perSequence, place + (length + stride - 1) / stride);
    }

    /// <param name="windows">[windows, prefix + suffix], int64.</param>
    /// <param name="prefix">Tokens that are given.</param>
    /// <param name="generate">int64 [B, prefix] and a count → [B, count], the likeliest tokens that follow.</param>
    /// <param name="batch">Windows that are run together; does not change the result.</param>
    /// <param name="report">Told how many windows are done.</param>
    public static MemorizationResult Measure(
        Tensor windows, int prefix, Func<Tensor, int, Tensor> generate, int batch, Action<long> report,
        CancellationToken cancellation)
    {
        using var ungraded = no_grad();
        var (count, suffix) = (windows.shape[0], (int)windows.shape[1] - prefix);
        var (exact, matches) = (0L, 0L);
        for (var at = 0L; at < count; at += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var given = windows.narrow(0, at, Math.Min(batch, count - at));
            var said = generate(given.narrow(1, 0, prefix), suffix);
            var right = said.eq(given.narrow(1, prefix, suffix).to(said.device)).sum(1);
            exact += right.eq(suffix).sum().ToInt64();
            matches += right.sum().ToInt64();
            report(at + given.shape[0]);
        }

        return new MemorizationResult(
            count, (double)exact / count, (double)matches / (count * suffix), ChoiceEvaluation.StandardError((int)exact, (int)count));
    }
}
