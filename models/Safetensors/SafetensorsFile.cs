using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using Pipelines.Torch;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// A safetensors file, mapped into memory: tensors are views of it and cost nothing until they are read. The mapping
/// lives until the file is disposed and the last view is gone. Views are read-only: writing to one ends the process.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly SafetensorsHeader header;
    private readonly Mapping mapping;
    private readonly long dataStart;
    private bool disposed;

    private SafetensorsFile(string path, SafetensorsHeader header, Mapping mapping, long dataStart)
    {
        Path = path;
        this.header = header;
        this.mapping = mapping;
        this.dataStart = dataStart;
    }

    public string Path { get; }

    /// <summary>By name, in ordinal order.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => header.Tensors;

    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <exception cref="SafetensorsException">The file is missing or malformed.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SafetensorsException($"{path}: cannot be opened: {error.Message}", error);
        }

        using (stream)
        {
            var (json, start) = ReadHeader(path, stream);
            var header = SafetensorsHeader.Parse(path, json, stream.Length - start);
            return new SafetensorsFile(path, header, Mapping.Of(stream), start);
        }
    }

    /// <summary>The tensor, without a copy.</summary>
    /// <exception cref="SafetensorsException">There is none of this name.</exception>
    public Tensor View(string name)
    {
        if (!Tensors.TryGetValue(name, out var entry))
            throw new SafetensorsException($"{Path}: there is no tensor '{name}'");
        if (entry.Bytes == 0)
            return empty(entry.Shape, dtype: entry.Type);
        var address = mapping.Address + (nint)(dataStart + entry.Begin);

        // A header of odd length moves the data off its alignment; such a file is copied, all others are not.
        if (address % SafetensorsType.Size(entry.Type) != 0)
            return Copy(entry, address);
        return Extensions.FromMemory(address, entry.Bytes, mapping.Share(), entry.Shape, entry.Type);
    }

    public void Dispose()
    {
        // The mapping counts its holders, and this file is one of them, once.
        if (!disposed)
            mapping.Dispose();
        disposed = true;
    }

    private static (byte[] Json, long DataStart) ReadHeader(string path, FileStream stream)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
            throw new SafetensorsException($"{path}: {stream.Length} bytes: expected at least 8, the length of the header");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > SafetensorsHeader.MostBytes)
            throw new SafetensorsException($"{path}: the header claims {length} bytes: expected at most {SafetensorsHeader.MostBytes}");
        if ((long)length > stream.Length - 8)
            throw new SafetensorsException($"{path}: the header claims {length} bytes, but only {stream.Length - 8} follow: the file is cut off");
        var json = new byte[length];
        stream.ReadExactly(json);
        return (json, 8 + (long)length);
    }

    private static unsafe Tensor Copy(TensorEntry entry, nint address)
    {
        var copy = empty(entry.Shape, dtype: entry.Type);
        Buffer.MemoryCopy((void*)address, (void*)copy.DataPointer(), entry.Bytes, entry.Bytes);
        return copy;
    }

    /// <summary>A mapped file that is unmapped when its last holder lets go.</summary>
    private sealed class Mapping : IDisposable
    {
        private readonly MemoryMappedFile file;
        private readonly MappedView view;
        private int holders = 1;

        private Mapping(MemoryMappedFile file)
        {
            this.file = file;
            view = new MappedView(file, 0, 0, MemoryMappedFileAccess.Read);
        }

        public nint Address => view.Address;

        public static Mapping Of(FileStream stream) => new(MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true));

        public Mapping Share()
        {
            Interlocked.Increment(ref holders);
            return this;
        }

        public void Dispose()
        {
            if (Interlocked.Decrement(ref holders) > 0)
                return;
            view.Dispose();
            file.Dispose();
        }
    }
}
