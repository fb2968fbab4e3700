using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>
/// PNG (ISO/IEC 15948): every colour type and depth, rows in order. Depths below 8 are spread over 0 to 255, of 16 bits the
/// upper 8 count, transparency is left out. Each chunk's checksum is checked. Interlaced files are refused.
/// </summary>
public static class Png
{
    private const int MostPixels = 1 << 26;

    private static readonly byte[] Signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
    private static readonly uint[] Crc = [.. Enumerable.Range(0, 256).Select(CrcOf)];

    /// <returns>Of one channel (grey) or three.</returns>
    /// <exception cref="StageException">It is no PNG, damaged, or interlaced.</exception>
    public static RawImage Decode(string path, byte[] file)
    {
        if (!file.AsSpan().StartsWith(Signature))
            throw new StageException($"{path}: begins with {Convert.ToHexString(file.AsSpan(0, Math.Min(8, file.Length)))}: expected {Convert.ToHexString(Signature)}, a PNG");
        Header? header = null;
        byte[] palette = [];
        var packed = new MemoryStream();
        for (var at = Signature.Length; ;)
        {
            var (type, data) = Chunk(path, file, at);
            at += 12 + data.Length;
            switch (type)
            {
                case "IHDR":
                    header = Header.Of(path, data.Span);
                    break;
                case "PLTE":
                    palette = data.ToArray();
                    break;
                case "IDAT":
                    packed.Write(data.Span);
                    break;
                case "IEND" when header is not null:
                    packed.Position = 0;
                    return Unpack(path, header, palette, packed);
            }
        }
    }

    private static (string Type, ReadOnlyMemory<byte> Data) Chunk(string path, byte[] file, int at)
    {
        var length = at + 12 <= file.Length ? BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at)) : uint.MaxValue;
        if (length > file.Length - at - 12L)
            throw new StageException($"{path}: ends in a chunk that begins at byte {at}: the file is cut off");
        var body = file.AsSpan(at + 4, (int)length + 4);
        var sum = 0xffffffffu;
        foreach (var one in body)
            sum = Crc[(byte)(sum ^ one)] ^ (sum >> 8);
        if (~sum != BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + (int)length)))
            throw new StageException($"{path}: the chunk at byte {at} is damaged: its checksum is another");
        return (Encoding.ASCII.GetString(body[..4]), file.AsMemory(at + 8, (int)length));
    }

    private static RawImage Unpack(string path, Header header, byte[] palette, Stream packed)
    {
        var (width, height) = (header.Width, header.Height);
        var stride = (width * header.Samples * header.Depth + 7) / 8;
        var step = Math.Max(1, header.Samples * header.Depth / 8);
        var channels = header.Colour is 0 or 4 ? 1 : 3;
        var pixels = new byte[channels * width * height];
        var (row, above) = (new byte[stride], new byte[stride]);
        using var zlib = new ZLibStream(packed, CompressionMode.Decompress);
        for (var y = 0; y < height; y++)
        {
            try
            {
                var filter = zlib.ReadByte();
                zlib.ReadExactly(row);
                if (!Unfilter(filter, row, above, step))
                    throw new StageException($"{path}: row {y} has the filter {filter}: expected 0 to 4");
            }
            catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
            {
                throw new StageException($"{path}: row {y} of {height} is damaged or cut off: {error.Message}", error);
            }

            for (var x = 0; x < width; x++)
            {
                for (var channel = 0; channel < channels; channel++)
                    pixels[(channel * height + y) * width + x] = Value(path, header, palette, row, x, channel);
            }

            (row, above) = (above, row);
        }

        return new RawImage(channels, height, width, pixels);
    }

    private static byte Value(string path, Header header, byte[] palette, byte[] row, int x, int channel)
    {
        if (header.Colour == 3)
        {
            var index = 3 * Sample(header, row, x) + channel;
            return index < palette.Length
                ? palette[index]
                : throw new StageException($"{path}: colour {index / 3} is not in its palette of {palette.Length / 3}");
        }

        var sample = Sample(header, row, x * header.Samples + channel);
        return (byte)(header.Depth < 8 ? sample * 255 / ((1 << header.Depth) - 1) : sample);
    }

    private static int Sample(Header header, byte[] row, int index)
    {
        if (header.Depth >= 8)
            return row[index * (header.Depth / 8)];
        var bit = index * header.Depth;
        return (row[bit / 8] >> (8 - header.Depth - bit % 8)) & ((1 << header.Depth) - 1);
    }

    private static bool Unfilter(int filter, byte[] row, byte[] above, int step)
    {
        for (var i = 0; i < row.Length; i++)
        {
            int left = i < step ? 0 : row[i - step];
            int up = above[i];
            int corner = i < step ? 0 : above[i - step];
            switch (filter)
            {
                case 0:
                    break;
                case 1:
                    row[i] += (byte)left;
                    break;
                case 2:
                    row[i] += (byte)up;
                    break;
                case 3:
                    row[i] += (byte)((left + up) / 2);
                    break;
                case 4:
                    row[i] += (byte)Paeth(left, up, corner);
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    private static int Paeth(int left, int up, int corner)
    {
        var (a, b, c) = (Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - 2 * corner));
        return a <= b && a <= c ? left : b <= c ? up : corner;
    }

    private static uint CrcOf(int value)
    {
        var sum = (uint)value;
        for (var bit = 0; bit < 8; bit++)
            sum = (sum & 1) == 1 ? 0xedb88320 ^ (sum >> 1) : sum >> 1;
        return sum;
    }

    /// <param name="Colour">0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha.</param>
    /// <param name="Samples">Of a pixel.</param>
    private sealed record Header(int Width, int Height, int Depth, int Colour, int Samples)
    {
        public static Header Of(string path, ReadOnlySpan<byte> data)
        {
            if (data.Length != 13)
                throw new StageException($"{path}: its header has {data.Length} bytes: expected 13");
            var (width, height) = (BinaryPrimitives.ReadInt32BigEndian(data), BinaryPrimitives.ReadInt32BigEndian(data[4..]));
            if (width <= 0 || height <= 0 || (long)width * height > MostPixels)
                throw new StageException($"{path}: is {(uint)width} × {(uint)height}: expected at most {MostPixels} pixels");
            var (depth, colour) = ((int)data[8], (int)data[9]);
            var samples = (colour, depth) switch
            {
                (0, 1 or 2 or 4 or 8 or 16) or (3, 1 or 2 or 4 or 8) => 1,
                (2, 8 or 16) => 3,
                (4, 8 or 16) => 2,
                (6, 8 or 16) => 4,
                _ => throw new StageException($"{path}: colour type {colour} with {depth} bits: there is no such PNG"),
            };
            return data[12] == 0
                ? new Header(width, height, depth, colour, samples)
                : throw new StageException($"{path}: is interlaced, which is not read here: save it without");
        }
    }
}
