using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Pipelines.Engine.Isolation;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;

namespace Pipelines.Engine;

/// <param name="Database">A Postgres connection string; null starts the private cluster in the data folder.</param>
/// <param name="DataFolder">Artifacts, and the private cluster.</param>
public sealed record EngineOptions(string? Database, string DataFolder)
{
    /// <summary>Where the artifacts are, when not in the data folder; that then holds copies of them.</summary>
    public ArtifactServer? Artifacts { get; init; }

    /// <summary>How many stages of the group <c>cpu</c> this process runs at once; with 0 it takes none.</summary>
    public int CpuSlots { get; init; } = 1;

    /// <summary>
    /// The GPUs of this process by PyTorch's names, <c>cuda:1</c>: each is given to one stage of the group <c>gpu</c> at a
    /// time. Without any it takes none.
    /// </summary>
    public IReadOnlyList<string> Gpus { get; init; } = [];

    /// <summary>
    /// How long this worker's stages stay its own after it was last heard of. Longer than its worst pause: what lapses is
    /// given to another worker.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often stages save checkpoints, in place of what each asks for.</summary>
    public TimeSpan? CheckpointInterval { get; init; }

    /// <summary>How long a stage may take to stop when it is told to, before it is stopped by force.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What to start for a stage that has a process of its own: a program that calls <see cref="StageChild.RunAsync"/>.</summary>
    public StageCommand? StageProcess { get; init; }

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The device of each slot, by the groups that this process serves.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyList<string>> Slots
    {
        get
        {
            var slots = new Dictionary<string, IReadOnlyList<string>>();
            if (CpuSlots > 0)
                slots[StageGroup.Cpu] = [.. Enumerable.Repeat("cpu", CpuSlots)];
            if (Gpus.Count > 0)
                slots[StageGroup.Gpu] = Gpus;
            return slots;
        }
    }
}

public sealed record StageCommand(string FileName, IReadOnlyList<string> Arguments);
