using Pipelines.Models;
using Pipelines.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Activities.Calibration;

/// <summary>
/// Weights that a method made anew, moved to a mapped file until they are saved: a loaded model is views of its files and
/// takes no memory of its own, and a pruned one should not either. What they took before goes back to the system.
/// </summary>
public static class ScratchWeights
{
    /// <param name="linears">On the CPU, or they stay where they are; those with another's weight do.</param>
    /// <param name="folder">Where the file lies meanwhile.</param>
    /// <exception cref="IOException">The disk has no room for it.</exception>
    public static void Move(IEnumerable<Linear> linears, string folder)
    {
        using var scope = NewDisposeScope();
        foreach (var same in linears.Where(linear => linear.Shared is null && linear.Weight.device_type == DeviceType.CPU).GroupBy(linear => linear.Weight.dtype))
        {
            var all = ScratchTensor.Create(folder, [same.Sum(linear => linear.Weight.numel())], same.Key);
            var start = 0L;
            foreach (var linear in same)
            {
                var own = all.narrow(0, start, linear.Weight.numel()).view(linear.Weight.shape);
                start += linear.Weight.numel();
                own.copy_(linear.Weight);
                linear.SetWeight(own);
            }
        }

        Extensions.ReturnMemory();
    }
}
