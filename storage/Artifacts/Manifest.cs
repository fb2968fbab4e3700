using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Storage.Artifacts;

/// <summary>The list of an artifact's files; its hash is the artifact's name, so its bytes depend on nothing else.</summary>
internal sealed record Manifest(IReadOnlyList<ManifestFile> Files)
{
    public const string FileName = "artifact.json";
    private const string Scheme = "sha256:";
    private const int MostFiles = 100_000;
    private const int LongestName = 255; // bytes between two slashes, as file systems have it
    private const long LargestFile = 1L << 45;
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    /// <summary>The artifact's hash.</summary>
    public static string Hash(byte[] bytes) => Scheme + Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static bool IsHash(string text) =>
        text.Length == Scheme.Length + 64
        && text.StartsWith(Scheme, StringComparison.Ordinal)
        && text.AsSpan(Scheme.Length).IndexOfAnyExcept(Digits) < 0;

    /// <summary>Every artifact that a stage's inputs or outputs name.</summary>
    public static string[] HashesIn(JsonElement json) => [.. All(json).Distinct()];

    private static IEnumerable<string> All(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String when IsHash(json.GetString()!) => [json.GetString()!],
        JsonValueKind.Object => json.EnumerateObject().SelectMany(member => All(member.Value)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(All),
        _ => [],
    };

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(
        this with { Files = [.. Files.OrderBy(file => file.Name, StringComparer.Ordinal)] }, Json.Options);

    public static Manifest Read(byte[] bytes) =>
        JsonSerializer.Deserialize<Manifest>(bytes, Json.Options) ?? throw new JsonException("null");

    /// <summary>One that came from elsewhere: nothing in it may name a place outside the artifact.</summary>
    /// <exception cref="ArtifactException">Says what is wrong with it.</exception>
    public static Manifest ReadForeign(byte[] bytes)
    {
        try
        {
            var manifest = Read(bytes);
            manifest.Check();
            return manifest;
        }
        catch (JsonException error)
        {
            throw new ArtifactException($"this is no list of an artifact's files: {error.Message}", error);
        }
    }

    /// <summary>Bytes of all files.</summary>
    public long Size() => Files.Sum(file => file.Size);

    private void Check()
    {
        if (Files.Count > MostFiles)
            throw new ArtifactException($"an artifact of {Files.Count} files: expected at most {MostFiles}");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Files)
        {
            if (!IsName(file.Name))
                throw new ArtifactException($"'{file.Name}' names no file of an artifact: expected a relative path without . and ..");
            if (!names.Add(file.Name))
                throw new ArtifactException($"the file '{file.Name}' is listed twice");
            if (file.Size is < 0 or > LargestFile)
                throw new ArtifactException($"the file '{file.Name}' has {file.Size} bytes: expected 0 to {LargestFile}");
            if (!IsHash(Scheme + file.Sha256))
                throw new ArtifactException($"the file '{file.Name}' has the sha256 '{file.Sha256}': expected 64 hexadecimal digits");
        }

        foreach (var name in names)
        {
            for (var slash = name.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = name.IndexOf('/', slash + 1))
            {
                if (names.Contains(name[..slash]))
                    throw new ArtifactException($"'{name[..slash]}' is both a file and the folder of '{name}'");
            }
        }
    }

    private static bool IsName(string name) => name != FileName && name.Split('/').All(part =>
        part is not ("" or "." or "..") && Encoding.UTF8.GetByteCount(part) <= LongestName && !part.Any(char.IsControl));
}

/// <param name="Name">Relative to the artifact, with <c>/</c> between folders.</param>
/// <param name="Sha256">64 hexadecimal digits.</param>
internal sealed record ManifestFile(string Name, long Size, string Sha256);
