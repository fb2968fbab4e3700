using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Pipelines.Tests.Fixtures;

/// <summary>Files of images that are small enough to write in a test.</summary>
internal static class TinyImages
{
    /// <summary>A CIFAR record: the label(s), then 3,072 bytes that count up from <paramref name="first"/>.</summary>
    public static byte[] Cifar(byte[] labels, int first = 0) =>
        [.. labels, .. Enumerable.Range(first, 3 * 32 * 32).Select(value => (byte)value)];

    /// <summary>An IDX file of bytes.</summary>
    public static byte[] Idx(int[] shape, params byte[] data)
    {
        var header = new byte[4 + 4 * shape.Length];
        (header[2], header[3]) = (8, (byte)shape.Length);
        foreach (var (i, size) in shape.Index())
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + 4 * i), size);
        return [.. header, .. data];
    }

    public static byte[] Gzip(byte[] plain)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(plain);
        return packed.ToArray();
    }

    /// <summary>A PNG of rows that carry their filter bytes.</summary>
    public static byte[] Png(int width, int height, int depth, int colour, byte[] rows, byte[]? palette = null, int interlace = 0)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)depth, (byte)colour, (byte)interlace);
        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            zlib.Write(rows);
        return
        [
            0x89, .. "PNG\r\n"u8, 0x1a, 0x0a, .. Chunk("IHDR", header), .. palette is null ? [] : Chunk("PLTE", palette),
            .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", []),
        ];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        var chunk = new byte[body.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(body.Length + 4), Crc(body));
        return chunk;
    }

    // Bit by bit, as the standard defines it.
    private static uint Crc(byte[] data)
    {
        var sum = ~0u;
        foreach (var one in data)
        {
            sum ^= one;
            for (var bit = 0; bit < 8; bit++)
                sum = (sum >> 1) ^ (0xedb88320 & (0 - (sum & 1)));
        }

        return ~sum;
    }
}
