using System.Runtime.InteropServices;
using TorchSharp.Interop;
using static TorchSharp.torch;

namespace Pipelines.Torch;

/// <summary>What TorchSharp's public API lacks; all else above this folder uses TorchSharp's names only.</summary>
public static unsafe partial class Extensions
{
    /// <summary>
    /// A tensor over memory that C# owns, without a copy: a view into a memory-mapped file, a pinned array. TorchSharp
    /// copies what it is given. Writing to the tensor writes to the memory.
    /// </summary>
    /// <param name="pointer">The first element, aligned for its dtype.</param>
    /// <param name="length">Bytes that may be read from there.</param>
    /// <param name="owner">Kept alive until the last tensor on the memory is gone; disposed then if disposable.</param>
    /// <param name="shape">Row-major.</param>
    /// <param name="dtype">What the memory holds.</param>
    /// <exception cref="ArgumentException">The shape needs more bytes, or the pointer is not aligned.</exception>
    public static Tensor FromMemory(nint pointer, long length, object owner, long[] shape, ScalarType dtype)
    {
        var size = ElementSize(dtype);
        var needed = shape.Aggregate(size, (bytes, dimension) => checked(bytes * dimension));
        if (needed > length || shape.Any(dimension => dimension < 0))
        {
            throw new ArgumentException(
                $"[{string.Join(',', shape)}] of {dtype} needs {needed} bytes, the memory has {length}");
        }

        if (pointer % size != 0)
            throw new ArgumentException($"{dtype} at {pointer:x} is not aligned to {size} bytes");
        var state = GCHandle.ToIntPtr(GCHandle.Alloc(owner));
        fixed (long* sizes = shape)
        {
            return new Tensor(TorchException.Check(
                LibTorch.pt_tensor_from_memory((void*)pointer, sizes, shape.Length, (int)dtype, &Release, state),
                nameof(FromMemory)));
        }
    }

    /// <summary>The address of the first element, for CPU tensors that are larger than a span.</summary>
    public static nint DataPointer(this Tensor tensor) => tensor.DataPointer();

    /// <summary>
    /// Any operator of LibTorch by its schema name, as <c>aten::add.Tensor</c>. Arguments may be <see cref="Tensor"/>,
    /// numbers, booleans, strings, arrays of these, <see cref="ScalarType"/>, <see cref="Device"/>,
    /// <see cref="Generator"/> or null; those left out take their defaults. Returns tensors, tensor arrays, numbers.
    /// </summary>
    /// <exception cref="ArgumentException">An argument is of another type.</exception>
    /// <exception cref="ExternalException">LibTorch refused.</exception>
    public static object?[] Call(string name, params object?[] arguments) =>
        Aten.CallAny(name, [.. arguments.Select(Arg.From)]);

    /// <summary>
    /// One layer of gated recurrent units (Cho et al., arXiv:1406.1078), from a state of zeros. TorchSharp has it as a
    /// module only, which owns its weights.
    /// </summary>
    /// <param name="input">[steps, batch, in].</param>
    /// <param name="weights">
    /// Of the inputs [3h, in], of the state [3h, h], and their biases [3h], with the rows of the reset, update and new
    /// gates in this order; the same four again for the way back, if there is one.
    /// </param>
    /// <returns>[steps, batch, h], or [steps, batch, 2h] with both ways side by side.</returns>
    /// <exception cref="ArgumentException">There are neither four weights nor eight.</exception>
    public static Tensor Gru(Tensor input, params Tensor[] weights)
    {
        if (weights.Length is not (4 or 8))
            throw new ArgumentException($"{weights.Length} weights: expected 4, or 8 for both ways");
        using var start = zeros(
            weights.Length / 4, input.shape[1], weights[1].shape[1], dtype: input.dtype, device: input.device);
        // As in training, though nothing is dropped: CUDA's kernel keeps what backward needs only then.
        var (output, last) = Aten.CallTwo(
            "gru.input", input, start, weights, true, 1, 0.0, true, weights.Length == 8, false);
        last.Dispose();
        return output;
    }

    /// <summary>The generator that a device's operators use by default. TorchSharp has the CPU's only.</summary>
    public static Generator DefaultGenerator(Device device) => Generator.DefaultOf(device);

    /// <summary>
    /// Does independent things beside each other, each with operators of one thread, as many at once as an operator may use
    /// threads (<see cref="get_num_threads"/>): small operators keep the cores busier so than by dividing each of them up.
    /// Whether a graph is recorded is as on the calling thread; tensors made inside belong to no scope outside.
    /// </summary>
    /// <exception cref="AggregateException">One of them threw.</exception>
    public static void Beside(int count, Action<int> action)
    {
        var grad = is_grad_enabled();
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() }, index =>
        {
            var before = LibTorch.pt_swap_own_threads(1);
            TorchException.Check(before, nameof(Beside));
            try
            {
                using var mode = set_grad_enabled(grad);
                action(index);
            }
            finally
            {
                TorchException.Check(LibTorch.pt_swap_own_threads(before), nameof(Beside));
            }
        });
    }

    [UnmanagedCallersOnly]
    private static void Release(nint state)
    {
        var handle = GCHandle.FromIntPtr(state);
        var owner = handle.Target;
        handle.Free();
        (owner as IDisposable)?.Dispose();
    }
}
