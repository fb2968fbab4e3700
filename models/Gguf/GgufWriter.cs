using System.Text;
using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>A tensor to be written.</summary>
/// <param name="Shape">Outermost axis first.</param>
/// <param name="Read">Its bytes in the file: a contiguous tensor on the CPU. Called once, when its turn comes.</param>
public sealed record GgufSource(string Name, GgmlType Type, long[] Shape, Func<Tensor> Read)
{
    /// <summary>The values, encoded when their turn comes.</summary>
    public static GgufSource Of(string name, Tensor values, GgufType type) =>
        new(name, GgmlType.Of(type), values.shape, () => Encode(name, values, type));

    /// <summary>What a file has, as it is.</summary>
    public static GgufSource Of(GgufFile file, string name)
    {
        var entry = file.Tensors[name];
        return new GgufSource(name, entry.Type, entry.Shape, () => file.View(name));
    }

    /// <exception cref="GgufException">A value is no number, or too large for the type.</exception>
    private static Tensor Encode(string name, Tensor values, GgufType type)
    {
        using var scope = NewDisposeScope();
        var plain = values.detach().cpu().to(ScalarType.Float32).contiguous();
        if (!plain.isfinite().all().ToBoolean())
            throw new GgufException($"tensor '{name}' holds NaN or infinity");
        var limit = type switch
        {
            GgufType.F16 => (double)Half.MaxValue,
            GgufType.Q8_0 => 127 * (double)Half.MaxValue,
            _ => double.PositiveInfinity,
        };
        if (plain.numel() > 0 && plain.abs().max().ToDouble() is var largest && largest > limit)
            throw new GgufException($"tensor '{name}' holds values up to {largest:g4}: {type} ends at {limit:g6}");
        var encoded = type == GgufType.Q8_0 ? Q8.Encode(plain) : plain.to(GgmlType.Of(type).Type!.Value);
        return encoded.MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Writes GGUF, version 3, keys and tensors in the order given: equal input gives equal bytes. The file appears under its
/// name only when it is whole.
/// </summary>
public static class GgufWriter
{
    // ggml keeps names in 64 bytes, the terminating zero among them.
    private const int LongestName = 63;

    private const int Chunk = 1 << 24;

    /// <exception cref="GgufException">A name is there twice or too long, or a row is no whole number of blocks.</exception>
    /// <exception cref="IOException">The disk is full, or the folder cannot be written; no file is left behind.</exception>
    public static void Write(
        string path, IEnumerable<KeyValuePair<string, GgufValue>> values, IEnumerable<GgufSource> tensors)
    {
        var keys = values.ToArray();
        var sources = tensors.ToArray();
        var alignment = Check(path, keys, sources);
        var partial = path + ".partial";
        try
        {
            using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            using (var writer = new BinaryWriter(stream, Encoding.UTF8))
            {
                WriteHeader(writer, keys, sources, alignment);
                foreach (var source in sources)
                    WriteTensor(writer, source, alignment);
                writer.Flush();
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

    private static long Check(string path, KeyValuePair<string, GgufValue>[] keys, GgufSource[] sources)
    {
        if (keys.CountBy(key => key.Key).FirstOrDefault(key => key.Value > 1) is { Key: { } twice })
            throw new GgufException($"{path}: the key '{twice}' is there twice");
        if (sources.CountBy(source => source.Name).FirstOrDefault(source => source.Value > 1) is { Key: { } again })
            throw new GgufException($"{path}: tensor '{again}' is there twice");
        foreach (var (name, type, shape, _) in sources)
        {
            if (Encoding.UTF8.GetByteCount(name) > LongestName)
                throw new GgufException($"{path}: the name of tensor '{name}' is longer than {LongestName} bytes");
            if (shape.Length > 4 || !type.Fits(shape.LastOrDefault(1)))
            {
                throw new GgufException($"{path}: tensor '{name}' of shape [{string.Join(", ", shape)}] does not fit {type.Name}: "
                    + $"expected at most 4 axes and rows of a multiple of {type.BlockSize}");
            }
        }

        var alignment = Array.Find(keys, key => key.Key == GgufHeader.AlignmentKey).Value;
        return alignment is GgufValue.Whole { Value: var size } ? (long)size : GgufHeader.StandardAlignment;
    }

    private static void WriteHeader(
        BinaryWriter writer, KeyValuePair<string, GgufValue>[] keys, GgufSource[] sources, long alignment)
    {
        writer.Write(GgufHeader.Magic);
        writer.Write(GgufHeader.Version);
        writer.Write((ulong)sources.Length);
        writer.Write((ulong)keys.Length);
        foreach (var (key, value) in keys)
        {
            WriteText(writer, key);
            writer.Write((uint)value.Type);
            WriteValue(writer, value);
        }

        var at = 0L;
        foreach (var (name, type, shape, _) in sources)
        {
            WriteText(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var size in shape.Reverse())
                writer.Write((ulong)size);
            writer.Write(type.Id);
            writer.Write((ulong)at);
            at = GgufHeader.Align(at + Bytes(type, shape), alignment);
        }

        Pad(writer, alignment);
    }

    private static void WriteValue(BinaryWriter writer, GgufValue value)
    {
        switch (value)
        {
            case GgufValue.Whole whole:
                WriteWhole(writer, whole);
                break;
            case GgufValue.Real { Float: GgufValueType.Float32 } real:
                writer.Write((float)real.Value);
                break;
            case GgufValue.Real real:
                writer.Write(real.Value);
                break;
            case GgufValue.Flag flag:
                writer.Write(flag.Value);
                break;
            case GgufValue.Text text:
                WriteText(writer, text.Value);
                break;
            case GgufValue.List list:
                writer.Write((uint)list.Element);
                writer.Write((ulong)list.Items.Count);
                foreach (var item in list.Items)
                    WriteValue(writer, item);
                break;
        }
    }

    private static void WriteWhole(BinaryWriter writer, GgufValue.Whole whole)
    {
        var bytes = whole.Integer switch
        {
            GgufValueType.UInt8 or GgufValueType.Int8 => 1,
            GgufValueType.UInt16 or GgufValueType.Int16 => 2,
            GgufValueType.UInt32 or GgufValueType.Int32 => 4,
            _ => 8,
        };
        var bits = (ulong)(UInt128)whole.Value;
        for (var i = 0; i < bytes; i++)
            writer.Write((byte)(bits >> (8 * i)));
    }

    private static void WriteText(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void WriteTensor(BinaryWriter writer, GgufSource source, long alignment)
    {
        using var bytes = source.Read();
        var (found, expected) = (bytes.numel() * bytes.element_size(), Bytes(source.Type, source.Shape));
        if (found != expected)
            throw new GgufException($"tensor '{source.Name}' gave {found} bytes: expected {expected}");
        writer.Flush();
        bytes.WriteBytesToStream(writer.BaseStream, Chunk);
        Pad(writer, alignment);
    }

    private static void Pad(BinaryWriter writer, long alignment)
    {
        writer.Flush();
        var at = writer.BaseStream.Position;
        writer.Write(new byte[GgufHeader.Align(at, alignment) - at]);
    }

    private static long Bytes(GgmlType type, long[] shape) => type.Bytes(shape.Aggregate(1L, (product, size) => product * size));
}
