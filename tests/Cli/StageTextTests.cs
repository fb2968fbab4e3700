using Pipelines.Cli.Display;
using Pipelines.Storage;

namespace Pipelines.Tests.Cli;

public sealed class StageTextTests
{
    [Theory]
    [InlineData(0, "0.0 s")]
    [InlineData(0.04, "0.0 s")]
    [InlineData(9.94, "9.9 s")]
    [InlineData(9.96, "10 s")]
    [InlineData(10, "10 s")]
    [InlineData(59.4, "59 s")]
    [InlineData(59.7, "1 m 00 s")]
    [InlineData(60, "1 m 00 s")]
    [InlineData(61.9, "1 m 01 s")]
    [InlineData(3599.9, "59 m 59 s")]
    [InlineData(3600, "1 h 00 m")]
    [InlineData(7325, "2 h 02 m")]
    [InlineData(360_000, "100 h 00 m")]
    public void A_duration_is_as_exact_as_it_is_long(double seconds, string text) =>
        Assert.Equal(text, StageText.Duration(seconds));

    [Theory]
    [InlineData(0, "0.000")]
    [InlineData(2.3064, "2.306")]
    [InlineData(-2.3064, "-2.306")]
    [InlineData(12.345, "12.35")]
    [InlineData(123.4, "123")]
    [InlineData(9_999, "9999")]
    [InlineData(18_240, "18.2k")]
    [InlineData(1_234_567, "1.23M")]
    [InlineData(7.5e9, "7.50G")]
    public void A_number_has_the_digits_that_matter(double value, string text) => Assert.Equal(text, StageText.Number(value));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(1L << 20, "1.00 MiB")]
    [InlineData(5L << 29, "2.50 GiB")]
    public void A_size_is_in_the_unit_that_fits(long bytes, string text) => Assert.Equal(text, StageText.Bytes(bytes));

    [Fact]
    public void Progress_says_how_far_and_its_figures_with_rates_behind_the_number() => Assert.Equal(
        "120/300 step  loss 2.310  18.2k tokens/s",
        StageText.Progress(Views.Progress(120, 300, ("loss", 2.31), ("tokens/s", 18_200))));

    [Fact]
    public void Time_left_is_what_the_rest_takes_at_the_pace_so_far() =>
        Assert.Equal(20, StageText.Left(Views.Stage("a", StageState.Running, 10, Views.Progress(100, 300))));

    [Fact]
    public void Time_left_is_unknown_before_there_is_a_pace_and_after_the_end()
    {
        Assert.Null(StageText.Left(Views.Stage("a", StageState.Running, 10)));
        Assert.Null(StageText.Left(Views.Stage("a", StageState.Running, null, Views.Progress(100, 300))));
        Assert.Null(StageText.Left(Views.Stage("a", StageState.Running, 0.5, Views.Progress(100, 300))));
        Assert.Null(StageText.Left(Views.Stage("a", StageState.Running, 10, Views.Progress(0, 300))));
        Assert.Null(StageText.Left(Views.Stage("a", StageState.Running, 10, Views.Progress(300, 300))));
        Assert.Null(StageText.Left(Views.Stage("a", StageState.Succeeded, 10, Views.Progress(100, 300))));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 10, 0)]
    [InlineData(5, 10, 5)]
    [InlineData(10, 10, 10)]
    [InlineData(12, 10, 10)]
    public void A_bar_fills_with_progress_and_never_overflows(long done, long total, int filled)
    {
        var bar = StageText.Bar(Views.Progress(done, total));

        Assert.Equal((filled, 10 - filled), (bar.Count(place => place == '━'), bar.Count(place => place == '─')));
    }

    [Fact]
    public void A_result_that_was_not_computed_is_called_reused()
    {
        Assert.Equal("reused", StageText.Name(Views.Stage("a", StageState.Succeeded, reused: true)));
        Assert.Equal("succeeded", StageText.Name(Views.Stage("a", StageState.Succeeded)));
        Assert.Equal("blocked", StageText.Name(Views.Stage("a", StageState.Blocked)));
    }
}
