namespace Pipelines.Models;

/// <summary>A tensor in a GGUF file.</summary>
/// <param name="Shape">Outermost axis first, as LibTorch has it; the file says it the other way round.</param>
/// <param name="Begin">Counts from the begin of the data.</param>
/// <param name="Bytes">Without the padding that follows.</param>
public sealed record GgufEntry(string Name, GgmlType Type, long[] Shape, long Begin, long Bytes);

/// <summary>
/// Reads and checks the header of a GGUF file: names once, shapes that give the sizes, and tensors that follow each other
/// without hole or overlap up to the file's end, as ggml's own reader demands.
/// </summary>
internal sealed class GgufHeader
{
    public const string AlignmentKey = "general.alignment";
    public const int StandardAlignment = 32;
    public const uint Magic = 0x46554747;
    public const uint Version = 3;

    private const int MostAxes = 4;

    private readonly string path;

    private GgufHeader(string path) => this.path = path;

    /// <summary>In the file's order.</summary>
    public OrderedDictionary<string, GgufValue> Values { get; } = new(StringComparer.Ordinal);

    /// <summary>In the file's order.</summary>
    public OrderedDictionary<string, GgufEntry> Tensors { get; } = new(StringComparer.Ordinal);

    public long Alignment { get; private set; } = StandardAlignment;

    /// <summary>Where the data begin, in bytes from the file's begin.</summary>
    public long DataStart { get; private set; }

    /// <param name="start">The file's first bytes; all of the header among them.</param>
    /// <param name="length">The file's length.</param>
    public static GgufHeader Parse(string path, ReadOnlySpan<byte> start, long length)
    {
        var header = new GgufHeader(path);
        header.Read(new GgufCursor(path, start), length);
        return header;
    }

    public static long Align(long position, long alignment) => (position + alignment - 1) / alignment * alignment;

    private void Read(GgufCursor cursor, long length)
    {
        if (cursor.UInt32("the magic number") != Magic)
            throw Fault("the file does not begin with 'GGUF'");
        var version = cursor.UInt32("the version");
        if (version != Version)
        {
            throw Fault((version & 0xFFFF) == 0
                ? "the file is of a big-endian machine: expected little-endian"
                : $"the version is {version}: expected {Version}");
        }

        var tensors = cursor.UInt64("the number of tensors");
        var values = cursor.UInt64("the number of keys");
        for (var i = 0UL; i < values; i++)
            ReadValue(ref cursor, i);
        Alignment = ReadAlignment();
        var at = 0L;
        for (var i = 0UL; i < tensors; i++)
        {
            var entry = ReadEntry(ref cursor, i, at);
            // Checked one by one, so that sums stay in range.
            CheckEnd(entry, length);
            at = Align(entry.Begin + entry.Bytes, Alignment);
        }

        DataStart = Align(cursor.At, Alignment);
        if (Tensors.Count > 0)
            CheckEnd(Tensors.GetAt(Tensors.Count - 1).Value, length - DataStart);
        if (length - DataStart > at)
            throw Fault($"{length - DataStart - at} bytes follow the last tensor: expected none");
    }

    private void ReadValue(ref GgufCursor cursor, ulong index)
    {
        var key = cursor.Text($"the name of key {index}");
        if (!Values.TryAdd(key, cursor.Value($"the value of '{key}'")))
            throw Fault($"the key '{key}' is there twice");
    }

    private long ReadAlignment()
    {
        if (!Values.TryGetValue(AlignmentKey, out var value))
            return StandardAlignment;
        return value is GgufValue.Whole { Value: var size } && size >= 8 && size <= 1 << 20 && Int128.IsPow2(size)
            ? (long)size
            : throw Fault($"{AlignmentKey} is {value}: expected a power of two from 8 on");
    }

    private GgufEntry ReadEntry(ref GgufCursor cursor, ulong index, long begin)
    {
        var name = cursor.Text($"the name of tensor {index}");
        var what = $"tensor '{name}'";
        var axes = cursor.UInt32(what);
        if (axes > MostAxes)
            throw Fault($"{what} has {axes} axes: expected at most {MostAxes}");
        var shape = new long[axes];
        for (var axis = 0; axis < axes; axis++)
            shape[^(axis + 1)] = ReadSize(cursor.UInt64(what), what);
        var id = cursor.UInt32(what);
        var type = GgmlType.Find(id) ?? throw Fault($"{what} has the type {id}, which is not known here");
        if (!type.Fits(shape.Length == 0 ? 1 : shape[^1]))
            throw Fault($"{what} of type {type.Name} has rows of {shape.LastOrDefault(1)} values: expected a multiple of {type.BlockSize}");
        var offset = cursor.UInt64(what);
        if (offset != (ulong)begin)
        {
            throw Fault($"{what} begins at {offset}: expected {begin}, "
                + (offset < (ulong)begin ? "it overlaps the one before" : "there is a hole before it"));
        }

        var entry = new GgufEntry(name, type, shape, begin, Bytes(type, shape, what));
        return Tensors.TryAdd(name, entry) ? entry : throw Fault($"{what} is there twice");
    }

    private long ReadSize(ulong size, string what) => size <= long.MaxValue
        ? (long)size
        : throw Fault($"{what} has an axis of {size}: larger than any file");

    private long Bytes(GgmlType type, long[] shape, string what)
    {
        var values = Int128.One;
        foreach (var size in shape)
        {
            values *= size;
            if (values > 1L << 56)
                throw Fault($"{what} of shape [{string.Join(", ", shape)}] is larger than any file");
        }

        return type.Bytes((long)values);
    }

    private void CheckEnd(GgufEntry entry, long data)
    {
        if (entry.Begin + entry.Bytes > data)
        {
            throw Fault($"tensor '{entry.Name}' ends at {entry.Begin + entry.Bytes}, but only {Math.Max(data, 0)} bytes of data "
                + "are there: the file is cut off");
        }
    }

    private GgufException Fault(string message) => new($"{path}: {message}");
}
