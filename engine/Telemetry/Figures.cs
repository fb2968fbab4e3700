using System.Diagnostics.Metrics;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;
using Pipelines.Workflows;

namespace Pipelines.Engine.Telemetry;

/// <summary>How much there is of what.</summary>
/// <param name="Label">What its samples are told apart by; null for one alone.</param>
internal sealed record Figure(string Name, string Help, string? Label, Func<Reading, IEnumerable<Sample>> Samples);

/// <param name="Value">Of the figure's label.</param>
internal sealed record Sample(string Value, double Number);

/// <param name="Artifacts">Null where they are on another machine.</param>
internal sealed record Reading(Statistics Statistics, StoredArtifacts? Artifacts);

internal sealed record StoredArtifacts(long Count, long Bytes);

/// <summary>The figures of the whole, kept for a while: they cost something to gather, and many may ask for them, and often.</summary>
internal sealed class Figures : IDisposable
{
    public static IReadOnlyList<Figure> All { get; } =
    [
        new("pipelines_runs", "Runs by state", "state", reading => ByState(reading.Statistics.Runs)),
        new("pipelines_stages", "Stages of all runs by state", "state", reading => ByState(reading.Statistics.Stages)),
        new("pipelines_stages_backlog", "Stages that wait for a free slot", "group", reading => ByGroup(reading.Statistics.Backlog, count => count)),
        new("pipelines_stages_oldest_ready_seconds", "How long the oldest of them has waited", "group", reading => ByGroup(reading.Statistics.OldestReady, age => age)),
        new("pipelines_workers", "Workers that live", "group", reading => ByGroup(reading.Statistics.Workers, count => count)),
        new("pipelines_artifacts", "Artifacts in the data folder", null, reading => Alone(reading.Artifacts?.Count)),
        new("pipelines_artifact_bytes", "Bytes of their files", null, reading => Alone(reading.Artifacts?.Bytes)),
    ];

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>Walks every artifact.</summary>
    private static readonly TimeSpan FreshArtifacts = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Database database;
    private readonly ArtifactDirectory? artifacts;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim one = new(1);
    private readonly Meter meter = new(Instruments.Name);
    private (Statistics Value, long At)? statistics;
    private (StoredArtifacts Value, long At)? stored;

    /// <param name="artifacts">Null where they are on another machine.</param>
    public Figures(Database database, ArtifactDirectory? artifacts, TimeProvider time)
    {
        (this.database, this.artifacts, this.time) = (database, artifacts, time);
        // They cost nothing until somebody listens.
        foreach (var figure in All)
            meter.CreateObservableGauge(figure.Name, () => Observe(figure), description: figure.Help);
    }

    public async Task<Reading> ReadAsync(CancellationToken cancellation)
    {
        await one.WaitAsync(cancellation);
        try
        {
            if (statistics is not { } known || time.GetElapsedTime(known.At) > Fresh)
                statistics = known = (await Statistics.ReadAsync(database, cancellation), time.GetTimestamp());
            if (artifacts is not null && (stored is not { } counted || time.GetElapsedTime(counted.At) > FreshArtifacts))
                stored = (Count(artifacts), time.GetTimestamp());
            return new Reading(known.Value, stored?.Value);
        }
        finally
        {
            one.Release();
        }
    }

    public void Dispose()
    {
        meter.Dispose();
        one.Dispose();
    }

    /// <summary>On the thread of whoever listens; nothing while the database is away.</summary>
    private IEnumerable<Measurement<double>> Observe(Figure figure)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            var reading = ReadAsync(patience.Token).GetAwaiter().GetResult();
            return
            [
                .. figure.Samples(reading).Select(sample => figure.Label is { } label
                    ? new Measurement<double>(sample.Number, new KeyValuePair<string, object?>(label, sample.Value))
                    : new Measurement<double>(sample.Number)),
            ];
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException || Recording.IsPassing(error))
        {
            return [];
        }
    }

    private static StoredArtifacts Count(ArtifactDirectory artifacts) =>
        artifacts.List().Aggregate(new StoredArtifacts(0, 0), (sum, artifact) => new StoredArtifacts(sum.Count + 1, sum.Bytes + artifact.Bytes));

    private static IEnumerable<Sample> Alone(long? number) => number is { } known ? [new Sample("", known)] : [];

    private static IEnumerable<Sample> ByState<TState>(IReadOnlyDictionary<TState, long> counts)
        where TState : struct, Enum =>
        Enum.GetValues<TState>().Select(state => new Sample(Json.Write(state).GetString()!, counts.GetValueOrDefault(state)));

    /// <summary>A group that has none says so: a series that ends looks like a server that ended.</summary>
    private static IEnumerable<Sample> ByGroup<T>(IReadOnlyDictionary<string, T> counts, Func<T, double> number)
        where T : struct =>
        counts.Keys.Union([StageGroup.Cpu, StageGroup.Gpu]).Order(StringComparer.Ordinal)
            .Select(group => new Sample(group, number(counts.GetValueOrDefault(group))));
}
