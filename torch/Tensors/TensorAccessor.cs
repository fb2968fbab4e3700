using System.Collections;
using static TorchSharp.torch;

namespace TorchSharp.Utils;

/// <summary>
/// A CPU tensor's elements, read and written in place. Reads go in row-major order, whatever the strides.
/// </summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T>
    where T : unmanaged
{
    private readonly Tensor tensor;
    private readonly T* first;
    private readonly long[] sizes;
    private readonly long[] strides;
    private readonly bool contiguous;

    internal TensorAccessor(Tensor tensor)
    {
        this.tensor = tensor;
        first = (T*)tensor.DataPointer();
        sizes = tensor.shape;
        strides = tensor.stride();
        contiguous = tensor.is_contiguous();
        Count = tensor.numel();
    }

    public long Count { get; }

    /// <summary>One index per dimension, or a single one into the row-major order.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside of its dimension.</exception>
    public T this[params ReadOnlySpan<long> indices]
    {
        get => first[Offset(indices)];
        set => first[Offset(indices)] = value;
    }

    /// <summary>All elements in row-major order.</summary>
    public T[] ToArray()
    {
        var array = new T[Count];
        CopyTo(array);
        return array;
    }

    /// <summary>Copies as many elements as fit.</summary>
    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var target = array[arrayIndex..];
        var count = (int)Math.Min(target.Length, Count - tensorIndex);
        if (contiguous)
        {
            new ReadOnlySpan<T>(first + tensorIndex, count).CopyTo(target);
            GC.KeepAlive(tensor);
            return;
        }

        for (var i = 0; i < count; i++)
            target[i] = this[tensorIndex + i];
    }

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var source = array[arrayIndex..];
        var count = (int)Math.Min(source.Length, Count - tensorIndex);
        for (var i = 0; i < count; i++)
            this[tensorIndex + i] = source[i];
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (long i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Nothing to release: the tensor outlives its accessor.</summary>
    public void Dispose()
    {
    }

    private long Offset(ReadOnlySpan<long> indices)
    {
        if (indices.Length == 1 && sizes.Length != 1)
            return FlatOffset(indices[0]);
        if (indices.Length != sizes.Length)
            throw new ArgumentOutOfRangeException(nameof(indices), $"{indices.Length} indices into {tensor}");
        long offset = 0;
        for (var d = 0; d < indices.Length; d++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(indices[d]);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(indices[d], sizes[d]);
            offset += indices[d] * strides[d];
        }

        return offset;
    }

    private long FlatOffset(long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        if (contiguous)
            return index;
        long offset = 0;
        for (var d = sizes.Length - 1; d >= 0; d--)
        {
            offset += index % sizes[d] * strides[d];
            index /= sizes[d];
        }

        return offset;
    }
}
