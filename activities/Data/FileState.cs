using System.Globalization;

namespace Pipelines.Activities.Data;

/// <summary>The state of files outside the artifacts, as the cache key sees it: names, sizes and times of change.</summary>
internal static class FileState
{
    /// <returns>Of a file, or of all files directly in a folder; "absent" when there is neither.</returns>
    public static string Of(string path)
    {
        if (File.Exists(path))
            return One(new FileInfo(path));
        if (!Directory.Exists(path))
            return "absent";
        return string.Join('\n', new DirectoryInfo(path).EnumerateFiles()
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(One));
    }

    /// <returns>Also of all files in the folders of a folder.</returns>
    public static string Deep(string path) => Directory.Exists(path)
        ? string.Join('\n', new DirectoryInfo(path).EnumerateDirectories().OrderBy(folder => folder.Name, StringComparer.Ordinal)
            .Select(folder => $"{folder.Name}/\n{Of(folder.FullName)}").Prepend(Of(path)))
        : Of(path);

    // A link counts as what it points to: caches of downloaded models are full of them.
    private static string One(FileInfo file)
    {
        var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        var changed = target.LastWriteTimeUtc.Ticks.ToString(CultureInfo.InvariantCulture);
        return $"{file.FullName} {target.Length} {changed}";
    }
}
