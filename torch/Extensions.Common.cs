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
    /// As <see cref="Beside"/>, where a part of each must be done in their order: by one at a time, while later ones are at what
    /// comes before.
    /// </summary>
    /// <param name="together">How many are begun at once.</param>
    /// <param name="action">Is given what returns when all before it are done. It is called on the same thread.</param>
    /// <exception cref="AggregateException">One of them threw; none after it is done.</exception>
    public static void BesideInOrder(long count, int together, Action<long, Action> action)
    {
        var (next, done, failed, gate) = (-1L, 0L, false, new object());
        Beside((int)Math.Min(together, count), _ =>
        {
            for (var index = Interlocked.Increment(ref next); index < count; index = Interlocked.Increment(ref next))
            {
                try
                {
                    action(index, () => Wait(index));
                    Wait(index);
                    Change(() => done++);
                }
                catch (AbandonedException)
                {
                    return;
                }
                catch
                {
                    Change(() => failed = true);
                    throw;
                }
            }
        });

        void Wait(long index)
        {
            lock (gate)
            {
                while (done < index && !failed)
                    Monitor.Wait(gate);
                if (failed)
                    throw new AbandonedException();
            }
        }

        void Change(Action change)
        {
            lock (gate)
            {
                change();
                Monitor.PulseAll(gate);
            }
        }
    }

    /// <summary>One before it threw.</summary>
    private sealed class AbandonedException : Exception;
}
