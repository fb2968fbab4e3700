using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Pipelines.Storage.Artifacts;

namespace Pipelines.Engine;

/// <param name="Database">A Postgres connection string; null starts the private cluster in the data folder.</param>
/// <param name="DataFolder">Artifacts, and the private cluster.</param>
public sealed record EngineOptions(string? Database, string DataFolder)
{
    /// <summary>Where the artifacts are, when not in the data folder; that then holds copies of them.</summary>
    public ArtifactServer? Artifacts { get; init; }

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

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
