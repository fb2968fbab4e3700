using System.Text;
using Pipelines.Workflows;

namespace Pipelines.Activities.Data;

/// <summary>A file that a user names, which has to be text.</summary>
internal static class Utf8File
{
    /// <exception cref="StageException">It cannot be read, or is not UTF-8.</exception>
    public static async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        byte[] bytes;
        try
        {
            bytes = await File.ReadAllBytesAsync(path, cancellation);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StageException($"the text cannot be read: {error.Message}", error);
        }

        try
        {
            new UTF8Encoding(false, throwOnInvalidBytes: true).GetCharCount(bytes);
            return bytes;
        }
        catch (DecoderFallbackException error)
        {
            throw new StageException($"{path} is not UTF-8: byte {error.Index} does not fit", error);
        }
    }
}
