using System.IO.Compression;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>Bytes of a file that a user names.</summary>
internal static class SourceFile
{
    /// <summary>Unpacked, where it is gzip.</summary>
    /// <exception cref="StageException">It cannot be read, or its gzip is damaged.</exception>
    public static byte[] Read(string path)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            return bytes is [0x1f, 0x8b, ..] ? Unpack(bytes) : bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StageException($"the images cannot be read: {error.Message}", error);
        }
        catch (InvalidDataException error)
        {
            throw new StageException($"{path}: the gzip is damaged or cut off: {error.Message}", error);
        }
    }

    private static byte[] Unpack(byte[] packed)
    {
        using var plain = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress))
            gzip.CopyTo(plain);

        // A stream that ends early reads as a short one; the last four bytes say how long it was, modulo 2³².
        return packed.Length >= 18 && BitConverter.ToUInt32(packed, packed.Length - 4) == (uint)plain.Length
            ? plain.ToArray()
            : throw new InvalidDataException($"{plain.Length} bytes came out, another number was packed");
    }
}
