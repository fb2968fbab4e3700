namespace Pipelines.Tests.Guards;

public sealed class FileSizeTests
{
    private const int Most = 400;
    private const int MostInTests = 600;

    [Fact]
    public void No_source_file_is_too_long_to_read_at_once()
    {
        var sources = Repository.Sources(".cs", ".ts", ".tsx", ".cpp", ".h").Where(file => !IsGenerated(file)).ToArray();
        var tooLong =
            from file in sources
            let lines = File.ReadLines(Repository.File(file)).Count()
            where lines > Limit(file)
            select $"{file}: {lines} lines, expected at most {Limit(file)}";

        Assert.Contains("cli/Program.cs", sources);
        Assert.Empty(tooLong);
    }

    private static int Limit(string file) => IsTest(file) ? MostInTests : Most;

    private static bool IsTest(string file) =>
        file.StartsWith("tests/", StringComparison.Ordinal) || file.Contains(".test.", StringComparison.Ordinal);

    private static bool IsGenerated(string file) => file.Split('/').Contains("Migrations");
}
