using System.Collections.Concurrent;

namespace Pipelines.Engine;

/// <summary>
/// Runs asynchronous work on one thread of its own, from its start to its end: what comes after an <c>await</c> goes on
/// there too. A stage may compute for hours without a pause, which must not starve the pool that heartbeats run on; and
/// native libraries keep things per thread (whether gradients are recorded, their pools of workers).
/// </summary>
internal sealed class StageThread : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> queue = [];

    private StageThread()
    {
    }

    public static Task<T> RunAsync<T>(string name, Func<Task<T>> work)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            var context = new StageThread();
            SetSynchronizationContext(context);
            var running = Start(work);
            running.ContinueWith(_ => context.queue.CompleteAdding(), TaskScheduler.Default);
            foreach (var (callback, state) in context.queue.GetConsumingEnumerable())
                callback(state);
            result.SetFromTask(running);
        })
        {
            IsBackground = true,
            Name = name,
        };
        thread.Start();
        return result.Task;
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            queue.Add((d, state));
        }
        catch (InvalidOperationException)
        {
            // The work has ended; what it left to run without waiting for it runs where there is room.
            ThreadPool.QueueUserWorkItem(_ => d(state));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("a stage's thread takes work in turn: post it");

    // What work throws before its first await is its task's as well.
    private static async Task<T> Start<T>(Func<Task<T>> work) => await work();
}
