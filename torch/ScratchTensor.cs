using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace Pipelines.Torch;

/// <summary>A tensor in a mapped file: what is written to it takes no anonymous memory, and may be larger than memory is.</summary>
public static class ScratchTensor
{
    /// <summary>Zeros. The file goes with the last tensor on it.</summary>
    /// <param name="folder">Where the file lies meanwhile.</param>
    /// <exception cref="IOException">The disk has no room for all of it.</exception>
    public static Tensor Create(string folder, long[] shape, ScalarType dtype)
    {
        var bytes = shape.Aggregate(Extensions.ElementSize(dtype), (size, dimension) => checked(size * dimension));
        var mapping = new Mapping(Path.Combine(folder, $"activations-{Guid.CreateVersion7():N}"), bytes);
        return Extensions.FromMemory(mapping.Address, bytes, mapping, shape, dtype);
    }

    private sealed class Mapping : IDisposable
    {
        private readonly FileStream stream;
        private readonly MemoryMappedFile file;
        private readonly MappedView view;

        public Mapping(string path, long bytes)
        {
            // Allocated now: a disk that fills up later would end the process, not the stage.
            stream = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Options = FileOptions.DeleteOnClose,
                PreallocationSize = bytes,
            });
            try
            {
                stream.SetLength(bytes);
                file = MemoryMappedFile.CreateFromFile(
                    stream, null, bytes, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
                view = new MappedView(file, 0, bytes, MemoryMappedFileAccess.ReadWrite);
            }
            catch
            {
                file?.Dispose();
                stream.Dispose();
                throw;
            }
        }

        public nint Address => view.Address;

        public void Dispose()
        {
            view.Dispose();
            file.Dispose();
            stream.Dispose();
        }
    }
}
