using System.IO.Enumeration;

namespace Pipelines.Engine.Schedules;

/// <summary>A parameter that names the newest entry of a folder, whichever that is when the schedule fires.</summary>
internal static class LatestEntry
{
    private const string Prefix = "latest:";

    public static bool Is(string value) => value.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The same with a full path, seen from the current folder.</summary>
    public static string Full(string value) => Prefix + Path.GetFullPath(value[Prefix.Length..]);

    /// <exception cref="EngineException">It is not a folder's full path and a pattern.</exception>
    public static void Check(string name, string value)
    {
        var (folder, pattern) = Split(value);
        if (!Path.IsPathFullyQualified(folder) || !pattern.Contains('*', StringComparison.Ordinal)
            || folder.Contains('*', StringComparison.Ordinal))
        {
            throw new EngineException(
                $"parameter '{name}' is '{value}': expected latest:DIRECTORY/* or latest:DIRECTORY/*.safetensors");
        }
    }

    /// <summary>
    /// The file or folder that was modified last; of two at the same time, the one whose name comes last. Hidden ones
    /// and those that are still being written (<c>*.partial</c>) do not count.
    /// </summary>
    /// <exception cref="EngineException">The folder cannot be read, or nothing in it matches.</exception>
    public static string Resolve(string value)
    {
        var (folder, pattern) = Split(value);
        try
        {
            var newest = new DirectoryInfo(folder).EnumerateFileSystemInfos()
                .Where(entry => !entry.Name.StartsWith('.') && !entry.Name.EndsWith(".partial", StringComparison.Ordinal)
                    && FileSystemName.MatchesSimpleExpression(pattern, entry.Name, ignoreCase: false))
                .MaxBy(entry => (entry.LastWriteTimeUtc, entry.Name), Order);
            return newest?.FullName ?? throw new EngineException($"{value}: nothing matches {pattern} in {folder}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new EngineException($"{value}: {folder} cannot be read: {error.Message}", error);
        }
    }

    private static Comparer<(DateTime At, string Name)> Order { get; } = Comparer<(DateTime At, string Name)>.Create(
        (a, b) => a.At != b.At ? a.At.CompareTo(b.At) : string.CompareOrdinal(a.Name, b.Name));

    private static (string Folder, string Pattern) Split(string value)
    {
        var path = value[Prefix.Length..];
        var slash = path.LastIndexOf('/');
        return slash <= 0 ? (slash == 0 ? "/" : "", path[(slash + 1)..]) : (path[..slash], path[(slash + 1)..]);
    }
}
