using System.Text.Json;

namespace Pipelines.Bench;

/// <summary>What the engine adds to stages that do nothing.</summary>
/// <param name="StageMs">Per stage of a chain, ms: wall of the run over its stages, median.</param>
/// <param name="FanoutStageMs">Per stage of a fan of 100 with one before and one after, ms, median.</param>
/// <param name="StartMs">From before a run is started to the first line of its stage, ms, sorted.</param>
/// <param name="RunsPerSecond">One-stage runs that wait when the workers start.</param>
/// <param name="WakesSeconds">After the last of those runs, until Quartz has fired what was left of their wakes.</param>
public sealed record EngineSpeed(
    double StageMs, double FanoutStageMs, IReadOnlyList<double> StartMs, double RunsPerSecond, double WakesSeconds,
    double CommitsPerStage, double? FlushesPerStage, double CommandsPerStage, double StatementsPerStage)
{
    /// <summary>Name and value, in the order in which they are shown.</summary>
    public IEnumerable<KeyValuePair<string, double?>> Figures() =>
    [
        new("stage_ms", StageMs),
        new("fanout_stage_ms", FanoutStageMs),
        new("start_p50_ms", Start(0.50)),
        new("start_p95_ms", Start(0.95)),
        new("start_p99_ms", Start(0.99)),
        new("runs_per_s", RunsPerSecond),
        new("drain_wakes_s", WakesSeconds),
        new("commits_per_stage", CommitsPerStage),
        new("flushes_per_stage", FlushesPerStage),
        new("commands_per_stage", CommandsPerStage),
        new("statements_per_stage", StatementsPerStage),
    ];

    /// <param name="history">Null when it was not measured.</param>
    public static string Line(EngineSpeed fresh, EngineSpeed? history)
    {
        var old = history?.Figures().Select(figure => KeyValuePair.Create(figure.Key + "_history", figure.Value)) ?? [];
        return JsonSerializer.Serialize(fresh.Figures().Concat(old).ToDictionary(
            figure => figure.Key, figure => figure.Value is { } value ? Math.Round(value, 3) : (double?)null));
    }

    private double Start(double part) => StartMs[Math.Min(StartMs.Count - 1, (int)(part * StartMs.Count))];
}
