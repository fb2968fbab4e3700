using System.Buffers.Binary;
using System.Text;

namespace Pipelines.Models;

/// <summary>Reads the header of a GGUF file from front to back, and never beyond its end.</summary>
internal ref struct GgufCursor(string path, ReadOnlySpan<byte> bytes)
{
    // No file has lists in lists in lists; a header that does is made to exhaust the stack.
    private const int DeepestList = 4;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> bytes = bytes;

    public int At { get; private set; }

    /// <param name="what">For the message, as all of these.</param>
    public uint UInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    public ulong UInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    public string Text(string what)
    {
        var length = UInt64(what);
        var text = Take(length, what);
        try
        {
            return Utf8.GetString(text);
        }
        catch (DecoderFallbackException error)
        {
            throw new GgufException($"{path}: {what} is not UTF-8", error);
        }
    }

    public GgufValue Value(string what) => Value((GgufValueType)UInt32(what), what, DeepestList);

    private GgufValue Value(GgufValueType type, string what, int depth) => type switch
    {
        GgufValueType.UInt8 => new GgufValue.Whole(type, Take(1, what)[0]),
        GgufValueType.Int8 => new GgufValue.Whole(type, (sbyte)Take(1, what)[0]),
        GgufValueType.UInt16 => new GgufValue.Whole(type, BinaryPrimitives.ReadUInt16LittleEndian(Take(2, what))),
        GgufValueType.Int16 => new GgufValue.Whole(type, BinaryPrimitives.ReadInt16LittleEndian(Take(2, what))),
        GgufValueType.UInt32 => new GgufValue.Whole(type, UInt32(what)),
        GgufValueType.Int32 => new GgufValue.Whole(type, BinaryPrimitives.ReadInt32LittleEndian(Take(4, what))),
        GgufValueType.UInt64 => new GgufValue.Whole(type, UInt64(what)),
        GgufValueType.Int64 => new GgufValue.Whole(type, BinaryPrimitives.ReadInt64LittleEndian(Take(8, what))),
        GgufValueType.Float32 => new GgufValue.Real(type, BinaryPrimitives.ReadSingleLittleEndian(Take(4, what))),
        GgufValueType.Float64 => new GgufValue.Real(type, BinaryPrimitives.ReadDoubleLittleEndian(Take(8, what))),
        GgufValueType.Bool => Flag(what),
        GgufValueType.String => new GgufValue.Text(Text(what)),
        GgufValueType.Array => List(what, depth - 1),
        _ => throw new GgufException($"{path}: {what} has the type {(uint)type}: expected one from 0 to 12"),
    };

    private GgufValue.Flag Flag(string what) => Take(1, what)[0] switch
    {
        0 => new GgufValue.Flag(false),
        1 => new GgufValue.Flag(true),
        var other => throw new GgufException($"{path}: {what} is the boolean {other}: expected 0 or 1"),
    };

    private GgufValue.List List(string what, int depth)
    {
        if (depth == 0)
            throw new GgufException($"{path}: {what} is a list in a list, {DeepestList} deep: expected fewer");
        var element = (GgufValueType)UInt32(what);
        var count = UInt64(what);

        // Every item takes a byte or more, so a count that lies does not allocate more than the file's size.
        if (count > (ulong)(bytes.Length - At))
            throw new GgufException($"{path}: {what} claims {count} items, but only {bytes.Length - At} bytes follow: the file is cut off");
        var items = new List<GgufValue>();
        for (var i = 0UL; i < count; i++)
            items.Add(Value(element, what, depth));
        return new GgufValue.List(element, items);
    }

    private ReadOnlySpan<byte> Take(ulong length, string what)
    {
        if (length > (ulong)(bytes.Length - At))
        {
            throw new GgufException(
                $"{path}: {what} takes {length} bytes at {At}, but only {bytes.Length - At} follow: the file is cut off");
        }

        var taken = bytes.Slice(At, (int)length);
        At += (int)length;
        return taken;
    }
}
