using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Pipelines.Storage.Artifacts;

/// <summary>The list of an artifact's files; its hash is the artifact's name, so its bytes depend on nothing else.</summary>
internal sealed record Manifest(IReadOnlyList<ManifestFile> Files)
{
    public const string FileName = "artifact.json";
    private const string Scheme = "sha256:";
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    /// <summary>The artifact's hash.</summary>
    public static string Hash(byte[] bytes) => Scheme + Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static bool IsHash(string text) =>
        text.Length == Scheme.Length + 64
        && text.StartsWith(Scheme, StringComparison.Ordinal)
        && text.AsSpan(Scheme.Length).IndexOfAnyExcept(Digits) < 0;

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(
        this with { Files = [.. Files.OrderBy(file => file.Name, StringComparer.Ordinal)] }, Workflows.Json.Options);

    public static Manifest Read(byte[] bytes) =>
        JsonSerializer.Deserialize<Manifest>(bytes, Workflows.Json.Options) ?? throw new JsonException("null");
}

/// <param name="Name">Relative to the artifact, with <c>/</c> between folders.</param>
/// <param name="Sha256">64 hexadecimal digits.</param>
internal sealed record ManifestFile(string Name, long Size, string Sha256);
