using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>The tokens of a context and a continuation, as they are scored.</summary>
/// <param name="Continuation">How many tokens at the end are the continuation's; there is at least one before them.</param>
public sealed record ChoicePrompt(int[] Tokens, int Continuation)
{
    /// <summary>
    /// Context, a space and choice, tokenized together: the continuation is what follows as many tokens as the context
    /// has by itself. (The rule of EleutherAI's lm-evaluation-harness.)
    /// </summary>
    /// <param name="encode">The tokenizer, without special tokens.</param>
    /// <param name="begin">Put before every context; null where the model was trained without.</param>
    /// <exception cref="StageException">The continuation has no token of its own, or nothing stands before it.</exception>
    public static ChoicePrompt Of(string context, string choice, Func<string, int[]> encode, int? begin)
    {
        var (left, right) = Split(context, choice);
        int[] first = begin is { } id ? [id] : [];
        int[] tokens = [.. first, .. encode(left + right)];
        var start = first.Length + (left.Length == 0 ? 0 : encode(left).Length);
        if (start == 0)
            throw new StageException($"nothing stands before \"{choice}\": expected a context, or a token that begins a text");
        if (start >= tokens.Length)
            throw new StageException($"\"{choice}\" has no token of its own after its context");
        return new ChoicePrompt(tokens, tokens.Length - start);
    }

    /// <summary>The space between the two, and all at the context's end, belongs to the continuation.</summary>
    public static (string Context, string Continuation) Split(string context, string choice)
    {
        var kept = context.TrimEnd();
        return (kept, $"{context[kept.Length..]} {choice}");
    }

    /// <summary>
    /// At most <paramref name="length"/> tokens before the last, which is predicted but not read; cut from the left.
    /// </summary>
    /// <exception cref="StageException">The continuation alone is longer.</exception>
    public ChoicePrompt Truncate(int length)
    {
        if (Continuation > length)
            throw new StageException($"a choice has {Continuation} tokens, but the model reads at most {length}");
        return Tokens.Length <= length + 1 ? this : this with { Tokens = Tokens[^(length + 1)..] };
    }
}
