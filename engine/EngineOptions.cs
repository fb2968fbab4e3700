using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Pipelines.Engine.Isolation;

namespace Pipelines.Engine;

/// <param name="Database">A Postgres connection string; null starts the private cluster in the data folder.</param>
/// <param name="DataFolder">Artifacts, and the private cluster.</param>
public sealed record EngineOptions(string? Database, string DataFolder)
{
    /// <summary>The groups of stages that this process takes: <c>cpu</c>, and <c>gpu</c> where the machine has one.</summary>
    public IReadOnlyList<string> Serve { get; init; } = ["cpu"];

    /// <summary>How many stages this process runs at once.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>The device that stages are given when this process serves <c>gpu</c>.</summary>
    public string GpuDevice { get; init; } = "cuda:0";

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
}

public sealed record StageCommand(string FileName, IReadOnlyList<string> Arguments);
