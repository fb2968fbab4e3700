namespace Pipelines.Tests.Guards;

/// <summary>The repository that these tests were built from, and its sources.</summary>
internal static class Repository
{
    private static readonly HashSet<string> NotOurs = ["artifacts", "bin", "obj", "node_modules", "dist"];

    public static string Root { get; } = FindRoot();

    public static string File(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>Files with one of these extensions, as paths from the root with forward slashes.</summary>
    public static IReadOnlyList<string> Sources(params string[] extensions) =>
        [.. Walk(Root).Where(file => extensions.Contains(Path.GetExtension(file)))
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
            yield return file;
        foreach (var inner in Directory.EnumerateDirectories(folder))
        {
            // Folders with a dot hold what tools keep, and a private database that only its server may read.
            var name = Path.GetFileName(inner);
            if (name.StartsWith('.') || NotOurs.Contains(name))
                continue;
            foreach (var file in Walk(inner))
                yield return file;
        }
    }

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(at.FullName, "Pipelines.sln")))
                return at.FullName;
        }

        throw new DirectoryNotFoundException($"no Pipelines.sln above {AppContext.BaseDirectory}");
    }
}
