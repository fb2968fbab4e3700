namespace Pipelines.Engine;

/// <summary>
/// What this worker has for stages: slots, each of one group and with a device that no other stage has meanwhile. They can
/// be closed.
/// </summary>
/// <param name="devices">The device of each slot, by group.</param>
internal sealed class Slots(IReadOnlyDictionary<string, IReadOnlyList<string>> devices)
{
    private readonly Lock held = new();
    private readonly TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<Slot> taken = [];

    public bool Closed { get; private set; }

    /// <summary>The first free one of the group; null when there is none, or none is given any more.</summary>
    public Slot? Take(string group)
    {
        lock (held)
        {
            if (Closed || FirstFree(group) is not { } free)
                return null;
            taken.Add(free);
            return free;
        }
    }

    /// <summary>How many of each group are free.</summary>
    public IReadOnlyDictionary<string, int> Free()
    {
        lock (held)
        {
            return devices.ToDictionary(
                group => group.Key, group => Closed ? 0 : group.Value.Count - taken.Count(slot => slot.Group == group.Key));
        }
    }

    /// <summary>Gives none any more; done when all are back.</summary>
    public Task Close()
    {
        lock (held)
        {
            Closed = true;
            if (taken.Count == 0)
                idle.TrySetResult();
            return idle.Task;
        }
    }

    private Slot? FirstFree(string group)
    {
        var all = devices.GetValueOrDefault(group) ?? [];
        return all.Select((device, index) => new Slot(group, index, device, GiveBack)).FirstOrDefault(slot => !taken.Contains(slot));
    }

    private void GiveBack(Slot slot)
    {
        lock (held)
        {
            taken.Remove(slot);
            if (Closed && taken.Count == 0)
                idle.TrySetResult();
        }
    }
}

/// <summary>Room for one stage, on this device.</summary>
internal sealed record Slot(string Group, int Index, string Device, Action<Slot> GiveBack) : IDisposable
{
    public void Dispose() => GiveBack(this);
}
