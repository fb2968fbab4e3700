using Pipelines.Activities.Evaluation;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using Pipelines.Tests.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

public sealed class ChoiceEvaluationTests
{
    private static readonly string[] Words = ["q", "a", "b", "cc", "dddd"];

    /// <summary>The probability of each word after each word.</summary>
    private static readonly double[][] Next =
    [
        [0.1, 0.4, 0.2, 0.2, 0.1],
        [0.2, 0.2, 0.3, 0.1, 0.2],
        [0.1, 0.1, 0.1, 0.6, 0.1],
        [0.1, 0.1, 0.5, 0.2, 0.1],
        [0.2, 0.2, 0.2, 0.2, 0.2],
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    public void Three_items_worked_by_hand(int batch)
    {
        using var scope = NewDisposeScope();
        ChoiceItem[] items =
        [
            Item(0, "q", "a", "b"),

            // ln 0.4 = -0.92 is more than ln 0.1 = -2.30, but less than a quarter of it, -0.58.
            Item(1, "q", "a", "dddd"),

            // ln 0.2 = -1.61 is more than ln 0.2 + ln 0.5 = -2.30, but less than a quarter of it.
            Item(0, "q", "b", "cc b"),
        ];
        var reports = new List<long>();

        var result = ChoiceEvaluation.Run(
            items, Encode, null, 8, Logits, batch, (done, total) => reports.Add(total - done), CancellationToken.None);

        Assert.Equal((3, 2 / 3.0, 2 / 3.0, 0), (result.Items, result.Accuracy, result.NormalizedAccuracy, result.Truncated));
        Assert.Equal(1 / 3.0, result.StandardError!.Value, 1e-12);
        Assert.Equal(1 / 3.0, result.NormalizedStandardError!.Value, 1e-12);
        Assert.Equal(0, reports[^1]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Scores_are_sums_of_logarithms_however_prompts_are_run_together(int batch)
    {
        using var scope = NewDisposeScope();
        ChoicePrompt[] prompts = [new([0, 1], 1), new([0, 1, 2, 3], 3), new([4, 4, 4, 0, 3, 2], 2), new([1, 0, 2], 1)];
        double[] expected = [Math.Log(0.4), Math.Log(0.4 * 0.3 * 0.6), Math.Log(0.2 * 0.5), Math.Log(0.2)];

        var scores = ChoiceScorer.LogLikelihoods(prompts, Logits, batch, _ => { }, CancellationToken.None);

        foreach (var (score, sum) in scores.Zip(expected))
            Assert.Equal(sum, score, 1e-6);
    }

    [Fact]
    public void Where_contexts_differ_the_same_continuation_is_scored_after_each()
    {
        using var scope = NewDisposeScope();
        ChoiceItem[] items = [new(["q a", "q b"], ["cc", "cc"], 1, 1), new(["q b", "q a"], ["cc", "cc"], 1, 2)];

        var result = ChoiceEvaluation.Run(items, Encode, null, 8, Logits, 3, (_, _) => { }, CancellationToken.None);

        Assert.Equal((0.5, 0.5), (result.Accuracy, result.NormalizedAccuracy));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void Of_equal_scores_the_first_counts(int answer, double accuracy)
    {
        using var scope = NewDisposeScope();

        var result = ChoiceEvaluation.Run(
            [Item(answer, "q", "b", "b")], Encode, null, 8, Logits, 1, (_, _) => { }, CancellationToken.None);

        Assert.Equal((accuracy, accuracy), (result.Accuracy, result.NormalizedAccuracy));
        Assert.Null(result.StandardError);
    }

    [Fact]
    public void A_prompt_longer_than_the_models_context_loses_its_begin()
    {
        using var scope = NewDisposeScope();
        var lengths = new List<long>();

        var result = ChoiceEvaluation.Run(
            [Item(1, "a a a b", "b", "cc"), Item(0, "q", "a", "b")], Encode, null, 2,
            tokens =>
            {
                lengths.Add(tokens.shape[1]);
                return Logits(tokens);
            },
            1, (_, _) => { }, CancellationToken.None);

        Assert.Equal([2, 2, 1, 1], lengths);
        Assert.Equal((1.0, 2), (result.Accuracy, result.Truncated));
        Assert.Equal([1, 2, 3], new ChoicePrompt([1, 1, 1, 2, 3], 1).Truncate(2).Tokens);
    }

    [Fact]
    public void What_cannot_be_scored_is_refused_by_its_line()
    {
        using var scope = NewDisposeScope();

        Refused("line 7: a choice has 3 tokens, but the model reads at most 2", Item(0, "q", "a b cc", "b"), Logits);
        Refused("line 7: nothing stands before \"a\"", Item(0, "", "a", "b"), Logits);
        Refused("line 7: a score is no number", Item(0, "q", "a", "b"), tokens => Logits(tokens) * double.NaN);

        static void Refused(string says, ChoiceItem item, Func<Tensor, Tensor> logits) => Assert.Contains(
            says,
            Assert.Throws<StageException>(() => ChoiceEvaluation.Run(
                [item with { Line = 7 }], Encode, null, 2, logits, 1, (_, _) => { }, CancellationToken.None)).Message,
            StringComparison.Ordinal);
    }

    /// <summary>"c ab" is c and " ab", not c, space and "ab": the space belongs to the choice's first token.</summary>
    [Fact]
    public void Context_and_choice_are_tokenized_together()
    {
        var tokenizer = TinyTokenizer.Read(TinyTokenizer.Json());

        var prompt = ChoicePrompt.Of("c", "ab", tokenizer.Encode, null);

        Assert.Equal([2, 7], prompt.Tokens);
        Assert.Equal(1, prompt.Continuation);
    }

    [Theory]
    [InlineData("the cat sat on", "the mat", "the cat sat on", " the mat")]
    [InlineData("the cat sat on ", "the mat", "the cat sat on", "  the mat")]
    [InlineData("the cat\n\t", "sat", "the cat", "\n\t sat")]
    [InlineData("naïve 𝄞", "né", "naïve 𝄞", " né")]
    public void The_split_gives_spaces_at_the_contexts_end_to_the_choice(string context, string choice, string left, string right)
    {
        var tokenizer = BpeTrainer.Train(TinyModel.Text, 300, []);

        var prompt = ChoicePrompt.Of(context, choice, tokenizer.Encode, null);

        Assert.Equal((left, right), ChoicePrompt.Split(context, choice));
        Assert.Equal(left, tokenizer.Decode(prompt.Tokens.AsSpan()[..^prompt.Continuation]));
        Assert.Equal(right, tokenizer.Decode(prompt.Tokens.AsSpan()[^prompt.Continuation..]));
    }

    [Fact]
    public void A_token_that_begins_texts_stands_before_the_context_or_in_its_place()
    {
        var with = ChoicePrompt.Of("q a", "b", Encode, 4);
        var alone = ChoicePrompt.Of("", "b cc", Encode, 4);

        Assert.Equal([4, 0, 1, 2], with.Tokens);
        Assert.Equal(1, with.Continuation);
        Assert.Equal([4, 2, 3], alone.Tokens);
        Assert.Equal(2, alone.Continuation);
    }

    [Fact]
    public void A_characters_length_is_one_of_Unicode()
    {
        // Four UTF-16 units and eight bytes are two characters; a letter with a combining mark is two.
        Assert.Equal([-3, -3, -6], ChoiceEvaluation.Normalize([-6, -6, -6], ["𝄞𝄞", "e\u0301", "é"]));
    }

    private static ChoiceItem Item(int answer, string context, params string[] choices) =>
        new([.. choices.Select(_ => context)], choices, answer, 1);

    private static int[] Encode(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => Array.IndexOf(Words, word))];

    // Scores are logarithms of probabilities up to a constant of the row.
    private static Tensor Logits(Tensor tokens)
    {
        var table = tensor(Next.SelectMany(row => row).Select(value => (float)Math.Log(value) + 3).ToArray()).view(5, 5);
        return table.index_select(0, tokens.view(-1)).view(tokens.shape[0], tokens.shape[1], 5);
    }
}
