namespace Pipelines.Storage;

/// <summary>A process that executes stages, for people and programs that look at it.</summary>
/// <param name="Slots">Stages at once, by the groups that it takes: <c>cpu</c>, <c>gpu</c>.</param>
/// <param name="Devices">The GPUs that it gives to stages, by PyTorch's names.</param>
/// <param name="Silent">Seconds since it was last heard of, in database time.</param>
/// <param name="Stages">What it runs, the oldest first.</param>
public sealed record WorkerView(
    string Id, string Host, int Pid, WorkerState State, IReadOnlyDictionary<string, int> Slots, IReadOnlyList<string> Devices,
    DateTimeOffset Started, double Silent, IReadOnlyList<WorkerStage> Stages);

/// <param name="Device">PyTorch's name of what it runs on.</param>
public sealed record WorkerStage(Guid Run, string Stage, string Device);

public enum WorkerState
{
    Idle,
    Working,

    /// <summary>It was told to take nothing any more, and leaves when nothing runs.</summary>
    Draining,

    /// <summary>It was not heard of for too long.</summary>
    Dead,
}

/// <summary>No worker, or more than one, is called what the user typed, or it is dead. The message says which.</summary>
public sealed class WorkerLookupException(string message) : Exception(message);
