using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Pipelines.Activities.Data;

/// <summary>SHA-256 over tensors that are larger than a span.</summary>
internal static class ImageHash
{
    private const long Chunk = 1 << 14;

    /// <param name="tensors">On the CPU; with rows of less than 2 GB.</param>
    public static string Of(params IEnumerable<Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in tensors)
        {
            using var scope = NewDisposeScope();
            var plain = tensor.contiguous();
            for (var at = 0L; at < plain.shape[0]; at += Chunk)
            {
                using var rows = plain.narrow(0, at, Math.Min(Chunk, plain.shape[0] - at));
                hash.AppendData(rows.bytes);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
