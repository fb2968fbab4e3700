using Pipelines.Engine;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Engine;

public sealed class MetricTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_short_curve_is_kept_whole_and_a_long_one_at_even_steps()
    {
        Assert.Equal(Enumerable.Range(1, 500).Select(step => (long)step), Kept(500));
        var long_ = Kept(1_000_000);
        Assert.InRange(long_.Length, 5_000, 15_000);
        Assert.Equal(1_000_000, long_[^1]);
        Assert.True(long_.Zip(long_.Skip(1)).All(pair => pair.First < pair.Second));
    }

    [Fact]
    public async Task The_figures_of_a_stage_are_there_as_curves_without_those_that_are_no_numbers()
    {
        await using var engine = await database.WorkAsync(Toys.Catalog());
        var run = await engine.StartRunAsync(
            Toys.Plan(Toys.Stage("chat", "toy.chatter", new { lines = 50 })), useCache: false, Cancellation);
        await engine.WaitAsync(run, Cancellation);

        var attempt = Assert.Single(await engine.Runs.MetricsAsync(run, "chat", Cancellation));

        Assert.Equal(1, attempt.Attempt);
        Assert.Equal(Enumerable.Range(1, 50).Select(step => ("loss", (long)step, 1.0 / step)), attempt.Points.Select(point => (point.Name, point.Step, point.Value)));
    }

    private static long[] Kept(long steps)
    {
        var buffer = new MetricBuffer();
        var kept = new List<long>();
        for (long step = 1; step <= steps; step++)
        {
            buffer.Add(new StageProgress(step, steps, "step", new Dictionary<string, double> { ["loss"] = 1 }));
            if (!buffer.IsEmpty)
                kept.AddRange(buffer.Take().Select(point => point.Step));
        }

        return [.. kept];
    }
}
