using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Pipelines.Torch;

/// <summary>
/// The same as Extensions.cs, over the TorchSharp package (-p:TorchBackend=TorchSharp). Compiled against the binding in
/// this folder; with the package it was not built.
/// </summary>
public static unsafe partial class Extensions
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

    /// <summary>One layer of gated recurrent units, written out: TorchSharp's module owns its weights.</summary>
    /// <exception cref="ArgumentException">There are neither four weights nor eight.</exception>
    public static Tensor Gru(Tensor input, params Tensor[] weights)
    {
        if (weights.Length is not (4 or 8))
            throw new ArgumentException($"{weights.Length} weights: expected 4, or 8 for both ways");
        using var scope = NewDisposeScope();
        var ways = weights.Chunk(4).Select((four, way) => OneWay(input, four, backwards: way == 1)).ToArray();
        return cat(ways, -1).MoveToOuterDisposeScope();
    }

    private static Tensor OneWay(Tensor input, Tensor[] weights, bool backwards)
    {
        var steps = (int)input.shape[0];
        var states = new Tensor[steps];
        var state = zeros(input.shape[1], weights[1].shape[1], dtype: input.dtype, device: input.device);
        for (var i = 0; i < steps; i++)
        {
            var at = backwards ? steps - 1 - i : i;
            var fresh = nn.functional.linear(input.select(0, at), weights[0], weights[2]).chunk(3, -1);
            var held = nn.functional.linear(state, weights[1], weights[3]).chunk(3, -1);
            var reset = (fresh[0] + held[0]).sigmoid();
            var update = (fresh[1] + held[1]).sigmoid();
            var candidate = (fresh[2] + reset * held[2]).tanh();
            state = candidate + update * (state - candidate);
            states[at] = state;
        }

        return stack(states, 0);
    }

    /// <exception cref="NotSupportedException">TorchSharp has the CPU's only.</exception>
    public static Generator DefaultGenerator(Device device) => device.type == TorchSharp.DeviceType.CPU
        ? Generator.Default
        : throw new NotSupportedException($"TorchSharp has no default generator of {device}");

    /// <summary>
    /// Does independent things beside each other, as many at once as an operator may use threads. TorchSharp has no number of
    /// threads for one thread alone, so operators inside use as many as ever.
    /// </summary>
    /// <exception cref="AggregateException">One of them threw.</exception>
    public static void Beside(int count, Action<int> action)
    {
        var grad = is_grad_enabled();
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() }, index =>
        {
            using var mode = set_grad_enabled(grad);
            action(index);
        });
    }
}
