using Pipelines.Bench;

namespace Pipelines.Tests.Bench;

public sealed class MeasuredTests
{
    /// <summary>Both benches print and read one line: what one side leaves out the other would not find.</summary>
    [Fact]
    public void What_a_side_prints_is_read_back()
    {
        var measured = SideBySide.Time(items: 300, () => 42.5);

        Assert.Equal(measured with { AnonymousMb = 7 }, Measured.Parse(measured.Line(), anonymousMb: 7));
        Assert.Equal(42.5, measured.Result);
        Assert.InRange(measured.Seconds * measured.TokensPerSecond, 299.9, 300.1);
        Assert.True(measured.PeakMb > 0);
    }

    [Fact]
    public void A_figure_that_is_missing_is_named()
    {
        var error = Assert.Throws<FormatException>(() => Measured.Parse("""{"seconds": 1}""", anonymousMb: 0));

        Assert.Contains("cpu_seconds", error.Message);
    }
}
