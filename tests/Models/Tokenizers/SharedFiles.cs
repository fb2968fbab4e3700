namespace Pipelines.Tests.Models;

/// <summary>The reference data beside the repository; a test that needs it is skipped where it is absent.</summary>
internal static class SharedFiles
{
    public static string Find(string path)
    {
        string? root = Environment.GetEnvironmentVariable("PIPELINES_SHARED") ?? Walk();
        if (root is null || !Path.Exists(Path.Combine(root, path)))
            Assert.Skip("The shared reference data is not here; PIPELINES_SHARED names its folder.");
        return Path.Combine(root, path);
    }

    public static string Text(string path) => File.ReadAllText(Find(path));

    private static string? Walk()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Directory.Exists(Path.Combine(folder.FullName, "shared", "golden")))
                return Path.Combine(folder.FullName, "shared");
        }
        return null;
    }
}
