using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pipelines.Torch;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>A tensor to be written, under its name and in this type.</summary>
public sealed record TensorSource(string Name, Tensor Tensor, ScalarType Type)
{
    /// <param name="type">Null for the tensor's own.</param>
    public static TensorSource Of(string name, Tensor tensor, ScalarType? type = null) => new(name, tensor, type ?? tensor.dtype);
}

/// <summary>
/// Writes safetensors: the same tensors always give the same bytes, whatever order they come in. The file appears under
/// its name only when it is whole.
/// </summary>
public static class SafetensorsWriter
{
    private const int Chunk = 1 << 24;

    // Tensors may be views of mapped files, whose pages come into memory as they are read: no more than this of them at a time.
    private const long MostHeld = 1 << 26;

    /// <exception cref="IOException">The disk is full, or the folder cannot be written; no file is left behind.</exception>
    public static void Write(
        string path, IEnumerable<TensorSource> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // Wide types first, so that every tensor is aligned for its type.
        var ordered = tensors
            .OrderByDescending(source => SafetensorsType.Size(source.Type))
            .ThenBy(source => source.Name, StringComparer.Ordinal)
            .ToArray();
        if (ordered.GroupBy(source => source.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new SafetensorsException($"{path}: tensor '{twice.Key}' is there twice");
        var partial = path + ".partial";
        try
        {
            using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                WriteHeader(stream, ordered, metadata);
                var held = 0L;
                foreach (var source in ordered)
                {
                    held += WriteTensor(stream, source);
                    if (held < MostHeld)
                        continue;
                    Extensions.ReturnMemory();
                    held = 0;
                }

                stream.Flush(flushToDisk: true);
            }

            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    private static void WriteHeader(
        FileStream stream, TensorSource[] ordered, IReadOnlyDictionary<string, string>? metadata)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                writer.WriteStartObject("__metadata__");
                foreach (var (name, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
                    writer.WriteString(name, value);
                writer.WriteEndObject();
            }

            var at = 0L;
            foreach (var (name, tensor, type) in ordered)
            {
                var end = at + tensor.numel() * SafetensorsType.Size(type);
                writer.WriteStartObject(name);
                writer.WriteString("dtype", SafetensorsType.Name(type));
                WriteNumbers(writer, "shape", tensor.shape);
                WriteNumbers(writer, "data_offsets", at, end);
                writer.WriteEndObject();
                at = end;
            }

            writer.WriteEndObject();
        }

        while (json.Length % 8 != 0)
            json.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        stream.Write(length);
        stream.Write(json.GetBuffer().AsSpan(0, (int)json.Length));
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, params ReadOnlySpan<long> numbers)
    {
        writer.WriteStartArray(name);
        foreach (var number in numbers)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }

    /// <returns>Bytes.</returns>
    private static unsafe long WriteTensor(FileStream stream, TensorSource source)
    {
        using var scope = NewDisposeScope();
        var plain = source.Tensor.cpu().to(source.Type).contiguous();
        var bytes = plain.numel() * plain.element_size();
        var left = bytes;
        for (var at = (byte*)plain.DataPointer(); left > 0; left -= Chunk, at += Chunk)
            stream.Write(new ReadOnlySpan<byte>(at, (int)Math.Min(left, Chunk)));
        return bytes;
    }
}
