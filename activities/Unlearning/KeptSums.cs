using System.Diagnostics;
using Pipelines.Models;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Activities.Unlearning;

/// <summary>
/// A loop that adds to tensors and does nothing else: with those in its checkpoints it goes on from any step to the same bits.
/// </summary>
/// <param name="sums">By name: written over where there is a checkpoint.</param>
internal sealed class KeptSums(IReadOnlyList<(string Name, Tensor Tensor)> sums)
{
    private const string FileName = "sums.safetensors";
    private const string SecondsName = "seconds";

    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(1);

    /// <param name="count">Steps.</param>
    /// <param name="step">From 0.</param>
    /// <returns>Seconds that the steps took, those of earlier attempts included.</returns>
    public double Run(long count, string unit, Action<long> step, StageContext stage, CancellationToken cancellation)
    {
        var (first, before) = Restore(stage.Checkpoints.Latest);
        if (first > 0)
            stage.Log($"goes on after {unit} {first}");
        var clock = Stopwatch.StartNew();
        for (var at = first; at < count; at++)
        {
            using (NewDisposeScope())
                step(at);
            stage.Report(at + 1, count, unit);
            if (stage.Checkpoints.Due(BetweenCheckpoints))
                stage.Checkpoints.Save(at + 1, folder => Save(folder, before + clock.Elapsed.TotalSeconds));
            cancellation.ThrowIfCancellationRequested();
        }

        return before + clock.Elapsed.TotalSeconds;
    }

    private void Save(string folder, double seconds)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(
            Path.Combine(folder, FileName),
            [.. sums.Select(sum => TensorSource.Of(sum.Name, sum.Tensor)), TensorSource.Of(SecondsName, tensor(new[] { seconds }))]);
    }

    private (long Step, double Seconds) Restore(StageCheckpoint? checkpoint)
    {
        if (checkpoint is null)
            return (0, 0);
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Path.Combine(checkpoint.Folder, FileName));
        foreach (var (name, sum) in sums)
            sum.copy_(file.View(name));
        return (checkpoint.Step, file.View(SecondsName).data<double>()[0]);
    }
}
