using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Pipelines.Torch;

/// <summary>
/// The same as Extensions.cs, over the TorchSharp package (-p:TorchBackend=TorchSharp). Compiled against the binding in
/// this folder; with the package it was not built.
/// </summary>
public static unsafe class Extensions
{
    /// <summary>TorchSharp makes no tensor over memory of others: this copies, and releases the owner.</summary>
    public static Tensor FromMemory(nint pointer, long length, object owner, long[] shape, ScalarType dtype)
    {
        var tensor = empty(shape, dtype);
        var needed = tensor.numel() * tensor.element_size();
        if (needed > length)
            throw new ArgumentException($"{tensor} needs {needed} bytes, the memory has {length}");
        Buffer.MemoryCopy((void*)pointer, (void*)tensor.DataPointer(), needed, needed);
        (owner as IDisposable)?.Dispose();
        return tensor;
    }

    /// <summary>The address of the first element of a contiguous CPU tensor.</summary>
    public static nint DataPointer(this Tensor tensor)
    {
        // TorchSharp shows bytes as a span; the first element's span exists for tensors of any size.
        using var flat = tensor.view(-1);
        using var first = flat.narrow(0, 0, 1);
        return (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }

    /// <exception cref="NotSupportedException">TorchSharp binds operators one by one.</exception>
    public static object?[] Call(string name, params object?[] arguments) =>
        throw new NotSupportedException($"{name}: TorchSharp calls no operator by name");

    /// <exception cref="NotSupportedException">TorchSharp has the CPU's only.</exception>
    public static Generator DefaultGenerator(Device device) => device.type == TorchSharp.DeviceType.CPU
        ? Generator.Default
        : throw new NotSupportedException($"TorchSharp has no default generator of {device}");

    public static long ElementSize(ScalarType dtype) => dtype switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        _ => 8,
    };
}
