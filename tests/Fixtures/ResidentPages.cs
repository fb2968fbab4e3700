namespace Pipelines.Tests.Fixtures;

internal static class ResidentPages
{
    /// <summary>KiB of a mapped file that are in this process. Tests beside this one may make it less at any time, never more.</summary>
    /// <param name="file">Its name, as no other mapped file has it.</param>
    public static int Of(string file) => File.ReadLines("/proc/self/smaps")
        .SkipWhile(line => !line.Contains(file, StringComparison.Ordinal))
        .Where(line => line.StartsWith("Rss:", StringComparison.Ordinal))
        .Select(line => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], null))
        .First();
}
