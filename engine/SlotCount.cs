namespace Pipelines.Engine;

/// <summary>Counts the slots that are at work, from before they claim until they have recorded; can be closed.</summary>
internal sealed class SlotCount
{
    private readonly Lock held = new();
    private readonly TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int count;

    public bool Closed { get; private set; }

    /// <returns>Null once closed.</returns>
    public IDisposable? Enter()
    {
        lock (held)
        {
            if (Closed)
                return null;
            count++;
            return new Slot(this);
        }
    }

    /// <summary>Lets nobody in any more; done when the last has left.</summary>
    public Task Close()
    {
        lock (held)
        {
            Closed = true;
            if (count == 0)
                idle.TrySetResult();
            return idle.Task;
        }
    }

    private sealed class Slot(SlotCount slots) : IDisposable
    {
        public void Dispose()
        {
            lock (slots.held)
            {
                slots.count--;
                if (slots is { Closed: true, count: 0 })
                    slots.idle.TrySetResult();
            }
        }
    }
}
