using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>
/// The figures of a stage's progress as points of curves, on their way to the database. The first thousand steps are kept,
/// then every second for as many points, then every fourth: a curve of any length has a few thousand.
/// </summary>
internal sealed class MetricBuffer
{
    private const int Dense = 1000;
    private const int MostWaiting = 10_000;

    private List<MetricPoint> points = [];
    private long stride = 1;
    private int kept;

    public bool IsEmpty => points.Count == 0;

    public void Add(StageProgress progress)
    {
        // The last one is kept as well: it is the result.
        if (progress.Figures.Count == 0 || (progress.Done % stride != 0 && progress.Done != progress.Total))
            return;
        if (++kept % Dense == 0)
            stride *= 2;
        if (points.Count < MostWaiting)
            points.AddRange(progress.Figures.Select(figure => new MetricPoint(figure.Key, progress.Done, figure.Value)));
    }

    /// <summary>What is to be written now.</summary>
    public IReadOnlyList<MetricPoint> Take()
    {
        var taken = points;
        points = [];
        return taken;
    }

    /// <summary>They could not be written.</summary>
    public void Return(IReadOnlyList<MetricPoint> taken) => points.InsertRange(0, taken.Take(MostWaiting - points.Count));
}
