using TorchSharp.Interop;
using static TorchSharp.torch;

namespace Pipelines.Torch;

/// <summary>What needs no binding of its own.</summary>
public static partial class Extensions
{
    /// <summary>Bytes per element.</summary>
    public static long ElementSize(ScalarType dtype) => dtype switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        _ => 8,
    };

    /// <summary>
    /// Gives memory back to the system: that of freed tensors, up to 256 MB of which is otherwise kept for the next ones, and the
    /// pages of mapped files (<see cref="MappedView"/>). Takes milliseconds: for between two large things, not within a loop over
    /// small ones.
    /// </summary>
    public static void ReturnMemory()
    {
        ProcessSettings.ReturnFreedMemory();
        MappedView.LetGo();
    }

    /// <summary>
    /// As <see cref="Beside"/>, where some steps must be taken in order: none is taken before all that come before have taken the
    /// same one, or are done.
    /// </summary>
    /// <param name="together">How many are begun at once.</param>
    /// <param name="action">Is given what takes a step in turn, on the same thread.</param>
    /// <exception cref="AggregateException">One of them threw; no step is taken after that.</exception>
    public static void BesideInOrder(long count, int together, Action<long, InTurn> action)
    {
        var steps = new StepOrder();
        var next = -1L;
        Beside((int)Math.Min(together, count), _ =>
        {
            for (var index = Interlocked.Increment(ref next); index < count; index = Interlocked.Increment(ref next))
            {
                var own = index;
                try
                {
                    action(own, (step, take) => steps.Take(own, step, take));
                    steps.End(own);
                }
                catch (StepOrder.AbandonedException)
                {
                    return;
                }
                catch
                {
                    steps.Abandon();
                    throw;
                }
            }
        });
    }
}
