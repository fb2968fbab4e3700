using Pipelines.Engine;
using Pipelines.Storage;
using Pipelines.Storage.Artifacts;

namespace Pipelines.Web;

/// <summary>Figures that cost something to gather, kept for a while: many may ask for them, and often.</summary>
internal sealed class Readings(PipelinesEngine engine, ArtifactDirectory artifacts, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>Walks every artifact.</summary>
    private static readonly TimeSpan FreshArtifacts = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim one = new(1);
    private (Statistics Value, long At)? statistics;
    private ((long Count, long Bytes) Value, long At)? stored;

    public async Task<(Statistics Statistics, (long Count, long Bytes) Artifacts)> ReadAsync(CancellationToken cancellation)
    {
        await one.WaitAsync(cancellation);
        try
        {
            if (statistics is not { } known || time.GetElapsedTime(known.At) > Fresh)
                statistics = known = (await Statistics.ReadAsync(engine.Database, cancellation), time.GetTimestamp());
            if (stored is not { } counted || time.GetElapsedTime(counted.At) > FreshArtifacts)
                stored = counted = (Count(), time.GetTimestamp());
            return (known.Value, counted.Value);
        }
        finally
        {
            one.Release();
        }
    }

    public void Dispose() => one.Dispose();

    private (long Count, long Bytes) Count() =>
        artifacts.List().Aggregate((Count: 0L, Bytes: 0L), (sum, artifact) => (sum.Count + 1, sum.Bytes + artifact.Bytes));
}
