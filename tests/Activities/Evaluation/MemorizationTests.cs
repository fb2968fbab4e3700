using Pipelines.Activities.Evaluation;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

public sealed class MemorizationTests
{
    /// <summary>The model counts: after 0, 1 it says 2, 3 (all right), after 4, 5 6, 7 (wrong), after 7, 8 9, 0 (half).</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public void Counts_suffixes_and_tokens_that_are_said_by_heart(int batch)
    {
        using var scope = NewDisposeScope();
        var text = tensor(new long[] { 0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 3, 1, 2, 3 });
        var done = new List<long>();

        var result = Memorization.Measure(
            Memorization.Windows(text, 4, 4), 2, Count, batch, done.Add, CancellationToken.None);

        Assert.Equal((3, 1 / 3.0, 0.5), (result.Windows, result.Exact, result.Fractional));
        Assert.Equal(1 / 3.0, result.StandardError!.Value, 1e-12);
        Assert.Equal(3, done[^1]);
    }

    [Fact]
    public void A_token_that_is_right_again_after_a_wrong_one_counts()
    {
        using var scope = NewDisposeScope();

        var result = Memorization.Measure(
            tensor(new long[] { 1, 2, 7, 4 }).view(1, 4), 1, Count, 1, _ => { }, CancellationToken.None);

        Assert.Equal((0, 2 / 3.0, null), (result.Exact, result.Fractional, result.StandardError));
    }

    [Fact]
    public void Windows_may_overlap_and_the_rest_of_the_text_is_dropped()
    {
        using var scope = NewDisposeScope();

        var windows = Memorization.Windows(arange(8, dtype: ScalarType.Int64), 4, 3);

        Assert.Equal([2, 4], windows.shape);
        Assert.Equal([0, 1, 2, 3, 3, 4, 5, 6], windows.contiguous().data<long>().ToArray());
        Assert.Contains(
            "a sequence of the text has 8 tokens: expected at least the 9",
            Assert.Throws<StageException>(() => Memorization.Windows(arange(8, dtype: ScalarType.Int64), 9, 1)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void No_window_reaches_from_one_sequence_into_the_next()
    {
        using var scope = NewDisposeScope();

        var windows = Memorization.Windows(arange(10, dtype: ScalarType.Int64).view(2, 5), 2, 2);

        Assert.Equal([0, 1, 2, 3, 5, 6, 7, 8], windows.contiguous().data<long>().ToArray());
    }

    // After a digit the next one is likeliest.
    private static Tensor Count(Tensor prefix, int count) =>
        (prefix.select(1, -1).unsqueeze(1) + arange(1, count + 1, dtype: ScalarType.Int64)) % 10;
}
