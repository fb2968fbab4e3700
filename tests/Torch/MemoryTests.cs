using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static Pipelines.Torch.Extensions;
using static TorchSharp.torch;

namespace Pipelines.Tests.Torch;

public sealed class MemoryTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Views_a_mapped_file_without_copying()
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, MemoryMarshal.AsBytes<float>([1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f]).ToArray());
        using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open);
        var view = new View(file);

        var x = FromMemory(view.Pointer + 8, 24, view, [2, 3], ScalarType.Float32);
        var row = x[1];

        Assert.Equal(view.Pointer + 8, x.DataPointer());
        Assert.Equal(view.Pointer + 20, row.DataPointer());
        Near.Equal([3, 4, 5, 6, 7, 8], x);
        row.add_(10);
        Assert.Equal(16f, view.ReadSingle(20));

        x.Dispose();
        Assert.False(view.Disposed);
        row.Dispose();
        Assert.True(view.Disposed);
        File.Delete(path);
    }

    [Fact]
    public void Keeps_the_owner_alive_and_lets_it_go()
    {
        var (tensor, owner) = Make();

        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.True(owner.IsAlive);
        Near.Equal([1, 2, 3], tensor);

        tensor.Dispose();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(owner.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static (Tensor Tensor, WeakReference Owner) Make()
        {
            var array = GC.AllocateArray<float>(3, pinned: true);
            new[] { 1f, 2f, 3f }.CopyTo(array, 0);
            var address = Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
            return (FromMemory(address, 12, array, [3], ScalarType.Float32), new WeakReference(array));
        }
    }

    [Fact]
    public void Refuses_a_shape_that_the_memory_does_not_hold()
    {
        var array = GC.AllocateArray<float>(3, pinned: true);
        var address = Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);

        Assert.Throws<ArgumentException>(() => FromMemory(address, 12, array, [2, 2], ScalarType.Float32));
        Assert.Throws<ArgumentException>(() => FromMemory(address, 12, array, [-1], ScalarType.Float32));
        Assert.Throws<ArgumentException>(() => FromMemory(address + 2, 8, array, [1], ScalarType.Float32));
        Assert.Throws<OverflowException>(
            () => FromMemory(address, 12, array, [long.MaxValue, 2], ScalarType.Float32));
    }

    [Fact]
    public void Shows_the_bytes_of_a_tensor_itself()
    {
        var x = tensor([1f, 2f]);

        MemoryMarshal.Cast<byte, float>(x.bytes)[1] = 5;
        Near.Equal([1, 5], x);
        x.data<float>()[0] = 6;
        Near.Equal([6, 5], x);
        x.bytes = new byte[8];
        Near.Equal([0, 0], x);
        Assert.Throws<ArgumentException>(() => x.bytes = new byte[4]);
    }

    private sealed class View(MemoryMappedFile file) : IDisposable
    {
        private readonly MemoryMappedViewAccessor accessor = file.CreateViewAccessor();

        public nint Pointer => accessor.SafeMemoryMappedViewHandle.DangerousGetHandle();

        public bool Disposed { get; private set; }

        public float ReadSingle(long position) => accessor.ReadSingle(position);

        public void Dispose()
        {
            Disposed = true;
            accessor.Dispose();
        }
    }
}
