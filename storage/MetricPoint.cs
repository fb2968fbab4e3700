namespace Pipelines.Storage;

/// <summary>A point of a curve.</summary>
/// <param name="Name"><c>loss</c>, <c>sparsity</c>.</param>
/// <param name="Step">The step, or the layer: what the stage counts.</param>
public sealed record MetricPoint(string Name, long Step, double Value);

/// <summary>The curves of one attempt of a stage; one that went on from a checkpoint has only the rest.</summary>
public sealed record AttemptMetrics(int Attempt, IReadOnlyList<MetricPoint> Points);
