using Pipelines.Engine;

namespace Pipelines.Tests.Engine;

public sealed class StageThreadTests
{
    [Fact]
    public async Task Goes_on_after_every_await_on_the_thread_that_it_began_on()
    {
        var threads = await StageThread.RunAsync("stage", async () =>
        {
            var seen = new List<int>();
            for (var i = 0; i < 5; i++)
            {
                seen.Add(Environment.CurrentManagedThreadId);
                await Task.Yield();
                await Task.Run(() => { });
            }

            return seen;
        });

        Assert.Single(threads.Distinct());
        Assert.NotEqual(Environment.CurrentManagedThreadId, threads[0]);
    }

    [Fact]
    public async Task Throws_what_the_work_throws_before_and_after_an_await()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => StageThread.RunAsync<int>("stage", () => throw new InvalidOperationException()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => StageThread.RunAsync<int>("stage", async () =>
        {
            await Task.Yield();
            throw new InvalidOperationException();
        }));
    }

    [Fact]
    public async Task Is_cancelled_when_the_work_is()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => StageThread.RunAsync("stage", async () =>
        {
            await Task.Delay(Timeout.Infinite, source.Token);
            return 0;
        }));

        Assert.Equal(source.Token, error.CancellationToken);
    }
}
