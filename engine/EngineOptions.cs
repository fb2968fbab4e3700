using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

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

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
