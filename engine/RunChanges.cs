using System.Collections.Concurrent;

namespace Pipelines.Engine;

/// <summary>
/// Lets callers wait for the next change of a run. A change between two waits ends the second one at once, so a reader
/// that reads after each wait sees everything.
/// </summary>
internal sealed class RunChanges(DatabaseListener listener, TimeProvider time)
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> changes = new();
    private int subscribed;

    public async Task WaitAsync(Guid run, TimeSpan atMost, CancellationToken cancellation)
    {
        if (Interlocked.Exchange(ref subscribed, 1) == 0)
        {
            listener.RunChanged += changed => Signal(changes.GetValueOrDefault(changed));
            listener.Missed += () => changes.Values.ToList().ForEach(Signal);
        }

        await listener.StartAsync(cancellation);
        var change = changes.GetOrAdd(run, _ => New());
        try
        {
            await change.Task.WaitAsync(atMost, time, cancellation);
            changes.TryUpdate(run, New(), change);
        }
        catch (TimeoutException)
        {
            // Nothing changed; the next wait goes on waiting for the same change.
        }
    }

    private static void Signal(TaskCompletionSource? change) => change?.TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
