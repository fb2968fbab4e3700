using System.Runtime.InteropServices;

namespace TorchSharp;

// Tensors of C# values. The values are copied; Extensions has the tensor over memory that C# owns.
public static partial class torch
{
    public static Tensor tensor<T>(T scalar, Device? device = null, bool requires_grad = false)
        where T : unmanaged => Copy<T>([scalar], [], null, device, requires_grad);

    public static Tensor tensor<T>(T scalar, ScalarType? dtype, Device? device = null, bool requires_grad = false)
        where T : unmanaged => Copy<T>([scalar], [], dtype, device, requires_grad);

    public static Tensor tensor<T>(
        T[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => Copy<T>(rawArray, [rawArray.Length], dtype, device, requires_grad);

    /// <summary>Values in row-major order, in the given shape.</summary>
    /// <exception cref="ArgumentException">The shape has another number of elements than the values.</exception>
    public static Tensor tensor<T>(
        T[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false)
        where T : unmanaged => Copy<T>(rawArray, dimensions.ToArray(), dtype, device, requires_grad);

    public static Tensor tensor<T>(
        Memory<T> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false)
        where T : unmanaged => Copy<T>(rawArray.Span, dimensions.ToArray(), dtype, device, requires_grad);

    public static Tensor tensor<T>(
        IList<T> rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => Copy<T>(rawArray.ToArray(), [rawArray.Count], dtype, device, requires_grad);

    public static Tensor tensor<T>(
        IList<T> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false)
        where T : unmanaged => Copy<T>(rawArray.ToArray(), dimensions.ToArray(), dtype, device, requires_grad);

    public static Tensor tensor<T>(
        IList<T> rawArray, long rows, long columns, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false)
        where T : unmanaged => tensor(rawArray, [rows, columns], dtype, device, requires_grad);

    public static Tensor tensor<T>(
        IList<T> rawArray, long dim0, long dim1, long dim2, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false)
        where T : unmanaged => tensor(rawArray, [dim0, dim1, dim2], dtype, device, requires_grad);

    public static Tensor tensor<T>(
        T[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromArray<T>(rawArray, dtype, device, requires_grad);

    public static Tensor tensor<T>(
        T[,,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => FromArray<T>(rawArray, dtype, device, requires_grad);

    public static Tensor as_tensor<T>(T[] rawArray, ScalarType? dtype = null, Device? device = null)
        where T : unmanaged => tensor(rawArray, dtype, device);

    public static Tensor as_tensor<T>(IList<T> rawArray, ScalarType? dtype = null, Device? device = null)
        where T : unmanaged => tensor(rawArray, dtype, device);

    private static unsafe Tensor FromArray<T>(Array array, ScalarType? dtype, Device? device, bool requires_grad)
        where T : unmanaged
    {
        var shape = Enumerable.Range(0, array.Rank).Select(array.GetLongLength).ToArray();
        fixed (byte* first = &MemoryMarshal.GetArrayDataReference(array))
            return Copy(new ReadOnlySpan<T>(first, array.Length), shape, dtype, device, requires_grad);
    }

    private static Tensor Copy<T>(
        ReadOnlySpan<T> values, long[] shape, ScalarType? dtype, Device? device, bool requires_grad)
        where T : unmanaged
    {
        var count = shape.Aggregate(1L, (product, size) => product * size);
        if (count != values.Length)
        {
            throw new ArgumentException(
                $"the shape [{string.Join(',', shape)}] has {count} elements, {values.Length} were given");
        }

        var copy = empty(shape, ToScalarType(typeof(T)));
        MemoryMarshal.AsBytes(values).CopyTo(copy.bytes);
        if ((dtype ?? copy.dtype) != copy.dtype || (device ?? CPU).type != DeviceType.CPU)
            copy = copy.to(dtype ?? copy.dtype, device ?? CPU, disposeAfter: true);
        return copy.requires_grad_(requires_grad);
    }
}
