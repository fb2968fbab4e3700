using System.Xml.Linq;
using Pipelines.Activities;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;

namespace Pipelines.Tests.Guards;

/// <summary>What a newcomer is told by a failing test instead of by a reviewer.</summary>
public sealed class StructureTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["torch"] = [],
        ["models"] = ["torch"],
        ["workflows"] = [],
        ["activities"] = ["workflows", "models", "torch"],
        ["storage"] = ["workflows"],
        ["engine"] = ["workflows", "storage"],
        ["web"] = ["engine", "storage", "workflows"],
    };

    public static TheoryData<string> Projects() => [.. Files("*.csproj").Select(Relative).Where(path => path.Count(c => c == '/') == 1)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_uses_only_what_its_folder_may(string project)
    {
        var folder = project.Split('/')[0];
        var references = XDocument.Load(Path.Combine(Repository.Root, project)).Descendants("ProjectReference")
            .Select(reference => reference.Attribute("Include")!.Value.Split('/')[1]);

        if (Arrows.TryGetValue(folder, out var allowed))
            Assert.All(references, used => Assert.Contains(used, allowed));
        else
            Assert.Contains(folder, (string[])["cli", "tests", "bench"]);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Package_versions_are_pinned_in_one_place(string project) => Assert.DoesNotContain(
        XDocument.Load(Path.Combine(Repository.Root, project)).Descendants("PackageReference"),
        reference => reference.Attribute("Version") is not null);

    [Fact]
    public void No_source_file_is_longer_than_four_hundred_lines()
    {
        var long_ = new[] { "*.cs", "*.cpp", "*.h", "*.ts", "*.tsx" }.SelectMany(Files)
            .Where(file => !file.Contains("/Migrations/", StringComparison.Ordinal))
            .Select(file => (Name: Relative(file), Lines: File.ReadLines(file).Count()))
            .Where(file => file.Lines > (file.Name.StartsWith("tests/", StringComparison.Ordinal) ? 600 : 400));

        Assert.Empty(long_);
    }

    [Fact]
    public void Ships_every_activity_in_the_catalog()
    {
        var written = typeof(ActivityCatalog).Assembly.GetTypes().Count(type =>
            type is { IsAbstract: false, BaseType.IsGenericType: true }
            && type.BaseType.GetGenericTypeDefinition() == typeof(Activity<,,>));

        Assert.Equal(written, ActivityCatalog.Create().Entries.Count);
    }

    [Fact]
    public void Documents_every_activity_with_its_ports()
    {
        var rows = File.ReadLines(Path.Combine(Repository.Root, "docs", "activities.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .ToDictionary(line => line.Split('`')[1], line => line.Replace(@"\|", "", StringComparison.Ordinal).Split('|'));

        Assert.Equal(ActivityCatalog.Create().Entries.Select(entry => entry.Kind).Order(), rows.Keys.Order());
        foreach (var entry in ActivityCatalog.Create().Entries)
        {
            Assert.Equal(Ports(entry.Inputs), rows[entry.Kind][4].Trim());
            Assert.Equal(Ports(entry.Outputs), rows[entry.Kind][5].Trim());
        }
    }

    private static string Ports(IReadOnlyList<Port> ports) => ports.Count == 0
        ? "–"
        : string.Join(", ", ports.Select(port => $"`{port.Name}: {port.Type}{(port.Optional ? "?" : "")}`"));

    private static IEnumerable<string> Files(string pattern) =>
        Directory.EnumerateFiles(Repository.Root, pattern, SearchOption.AllDirectories).Where(file =>
            !Relative(file).StartsWith("artifacts/", StringComparison.Ordinal)
            && !file.Contains("/node_modules/", StringComparison.Ordinal));

    private static string Relative(string file) => Path.GetRelativePath(Repository.Root, file);
}
