using System.IO.MemoryMappedFiles;
using Pipelines.Torch;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>
/// A GGUF file (version 3), mapped into memory. Every view maps its own piece, so views outlive the file. Views are
/// read-only: writing to one ends the process. The format: ggml-org/ggml, docs/gguf.md.
/// </summary>
public sealed class GgufFile : IDisposable
{
    private readonly GgufHeader header;
    private readonly MemoryMappedFile file;

    private GgufFile(string path, GgufHeader header, MemoryMappedFile file)
    {
        Path = path;
        this.header = header;
        this.file = file;
    }

    public string Path { get; }

    /// <summary>In the file's order.</summary>
    public IReadOnlyDictionary<string, GgufValue> Values => header.Values;

    /// <summary>In the file's order.</summary>
    public IReadOnlyDictionary<string, GgufEntry> Tensors => header.Tensors;

    /// <exception cref="GgufException">The file is missing or malformed.</exception>
    public static GgufFile Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GgufException($"{path}: cannot be opened: {error.Message}", error);
        }

        var length = stream.Length;
        if (length == 0)
        {
            stream.Dispose();
            throw new GgufException($"{path}: the file is empty");
        }

        var file = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        try
        {
            return new GgufFile(path, ReadHeader(path, file, length), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The tensor without a copy, where LibTorch has its type; of all others the bytes: uint8 [bytes].
    /// </summary>
    /// <exception cref="GgufException">There is none of this name.</exception>
    public Tensor View(string name)
    {
        var entry = Entry(name);
        var (type, shape) = entry.Type.Type is { } plain ? (plain, entry.Shape) : (ScalarType.Byte, [entry.Bytes]);
        if (entry.Bytes == 0)
            return empty(shape, dtype: type);
        var piece = new MappedView(file, header.DataStart + entry.Begin, entry.Bytes, MemoryMappedFileAccess.Read);
        return Extensions.FromMemory(piece.Address, entry.Bytes, piece, shape, type);
    }

    /// <summary>The tensor's values: float32, in the tensor's shape; a view where the file has them so.</summary>
    /// <exception cref="GgufException">There is none of this name, or its type is not decoded here.</exception>
    public Tensor Floats(string name)
    {
        var entry = Entry(name);
        if (entry.Type.Type is null && entry.Type != GgmlType.Q80)
            throw new GgufException($"{Path}: tensor '{name}' is of type {entry.Type.Name}, which is not decoded here");
        var stored = View(name);
        if (stored.dtype == ScalarType.Float32)
            return stored;
        using (stored)
            return entry.Type.Type is null ? Q8.Decode(stored, entry.Shape) : stored.to(ScalarType.Float32);
    }

    public void Dispose() => file.Dispose();

    private GgufEntry Entry(string name) => Tensors.TryGetValue(name, out var entry)
        ? entry
        : throw new GgufException($"{Path}: there is no tensor '{name}'");

    private static unsafe GgufHeader ReadHeader(string path, MemoryMappedFile file, long length)
    {
        using var all = new MappedView(file, 0, length, MemoryMappedFileAccess.Read);
        return GgufHeader.Parse(path, new ReadOnlySpan<byte>((void*)all.Address, (int)Math.Min(length, int.MaxValue)), length);
    }
}
