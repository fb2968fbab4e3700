using System.Collections.Concurrent;
using System.Diagnostics;
using Pipelines.Engine.Telemetry;
using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Engine;

public sealed class RunTraceTests(FreshDatabase database) : IClassFixture<FreshDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_of_two_workers_is_one_trace_with_every_attempt_and_its_times()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Instruments.Name,
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        FailTimes.Left["traced"] = 1;
        await using var one = await database.WorkAsync(Toys.Catalog(), slots: 2);
        await using var two = await database.WorkAsync(Toys.Catalog(), slots: 2);
        var plan = Toys.PlanOf("""
            { "name": "traced", "stages": [
              { "id": "flaky", "kind": "toy.fail-times", "parameters": { "counter": "traced" }, "retry": { "attempts": 2, "backoff": 0 } },
              { "id": "many", "kind": "toy.number", "parameters": { "value": "${x}" }, "matrix": { "values": { "x": [1, 2, 3, 4, 5, 6, 7, 8] } } }] }
            """);

        var run = await one.WaitAsync(await one.StartRunAsync(plan, false, Cancellation), Cancellation);
        Activity[] Whole() => [.. spans.Where(span => span.GetTagItem("pipelines.run.id") is string id && id == $"{run.Id}")];
        while (Whole().Length == 0)
            await Task.Delay(20, Cancellation);
        var history = (await one.Runs.AttemptsAsync(run.Id, "flaky", Cancellation))!;

        // Whoever is gone can no longer write one too many.
        await one.DisposeAsync();
        await two.DisposeAsync();

        var whole = Assert.Single(Whole());
        var attempts = spans.Where(span => span.TraceId == whole.TraceId && span != whole).ToArray();
        Assert.Equal(("run traced", default, "succeeded"), (whole.DisplayName, whole.ParentSpanId, whole.GetTagItem("pipelines.run.state")));
        Assert.Equal(run.Created.UtcDateTime, whole.StartTimeUtc);
        Assert.Equal(run.Finished!.Value.UtcDateTime, whole.StartTimeUtc + whole.Duration);
        Assert.All(attempts, span => Assert.Equal(whole.SpanId, span.ParentSpanId));
        Assert.Equal(8, attempts.Count(span => span.DisplayName.StartsWith("stage many.", StringComparison.Ordinal)));
        var flaky = attempts.Where(span => span.DisplayName == "stage flaky").OrderBy(span => span.StartTimeUtc).ToArray();
        Assert.Equal([(1, "failed", ActivityStatusCode.Error), (2, "succeeded", ActivityStatusCode.Unset)], flaky.Select(
            span => ((int)span.GetTagItem("pipelines.stage.attempt")!, (string)span.GetTagItem("pipelines.outcome")!, span.Status)));
        Assert.Equal(history.Select(attempt => attempt.Started.UtcDateTime), flaky.Select(span => span.StartTimeUtc));
    }
}
