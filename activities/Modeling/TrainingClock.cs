using System.Diagnostics;
using static TorchSharp.torch;

namespace Pipelines.Activities.Modeling;

/// <summary>Seconds that the steps of a training loop took; with <see cref="Kept"/> in its checkpoints, those of earlier attempts too.</summary>
internal sealed class TrainingClock : IDisposable
{
    private long? last;

    /// <summary>[1], float64.</summary>
    public Tensor Kept { get; } = zeros(1, dtype: ScalarType.Float64).DetachFromDisposeScope();

    public double Seconds => Kept.data<double>()[0];

    /// <summary>The steps begin.</summary>
    public void Start() => last = Stopwatch.GetTimestamp();

    /// <summary>A step is done.</summary>
    public void Tick()
    {
        var now = Stopwatch.GetTimestamp();
        using var ungraded = no_grad();
        Kept.add_(Stopwatch.GetElapsedTime(last ?? now, now).TotalSeconds);
        last = now;
    }

    public void Dispose() => Kept.Dispose();
}
