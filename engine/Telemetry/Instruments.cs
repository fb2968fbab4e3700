using System.Diagnostics;

namespace Pipelines.Engine.Telemetry;

/// <summary>What those who listen (OpenTelemetry, dotnet-counters) know the engine by.</summary>
public static class Instruments
{
    /// <summary>Of the meter of <see cref="Figures"/>, and of the source of <see cref="RunTrace"/>.</summary>
    public const string Name = "Pipelines";

    internal static ActivitySource Source { get; } = new(Name);
}
