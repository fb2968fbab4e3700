using System.Xml.Linq;

namespace Pipelines.Tests.Guards;

/// <summary>Which project may know which, and where versions of packages stand.</summary>
public sealed class ProjectTests
{
    // A project that is not here may refer to nothing: a new one is a decision, made in this table.
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Torch"] = [],
        ["Models"] = ["Torch"],
        ["Workflows"] = [],
        ["Activities"] = ["Workflows", "Models", "Torch"],
        ["Storage"] = ["Workflows"],
        ["Engine"] = ["Workflows", "Storage"],
        ["Web"] = ["Engine", "Storage", "Workflows"],
        // Writes the migrations at development time; nothing ships from it.
        ["MigrationsTool"] = ["Storage"],
    };

    private static readonly string[] MayKnowAll = ["Cli", "Tests", "Bench"];

    [Fact]
    public void Projects_refer_only_to_what_their_layer_may_know()
    {
        var forbidden =
            from file in Projects()
            let project = Path.GetFileNameWithoutExtension(file)
            where !MayKnowAll.Contains(project)
            from reference in Elements(file, "ProjectReference")
            let target = Path.GetFileNameWithoutExtension(((string?)reference.Attribute("Include"))!.Replace('\\', '/'))
            where !Allowed.GetValueOrDefault(project, []).Contains(target)
            select $"{file}: {project} -> {target}";

        Assert.Empty(forbidden);
    }

    [Fact]
    public void Every_project_has_a_place_in_the_table() =>
        Assert.Empty(Projects().Select(Path.GetFileNameWithoutExtension).Except([.. Allowed.Keys, .. MayKnowAll]));

    [Fact]
    public void References_name_projects_that_exist()
    {
        var dangling =
            from file in Projects()
            from reference in Elements(file, "ProjectReference")
            let target = ((string?)reference.Attribute("Include"))!.Replace('\\', '/')
            where !File.Exists(Path.Combine(Path.GetDirectoryName(Repository.File(file))!, target))
            select $"{file}: {target}";

        Assert.Empty(dangling);
    }

    [Fact]
    public void Versions_of_packages_stand_in_one_file()
    {
        var elsewhere =
            from file in Repository.Sources(".csproj", ".props", ".targets")
            where !IsDevelopmentTool(file)
            from reference in Elements(file, "PackageReference")
            let own = Said(reference, "Version") ?? OwnVersion(file, reference)
            where own is not null
            select $"{file}: {(string?)reference.Attribute("Include")} {own}";

        Assert.Empty(elsewhere);
    }

    [Fact]
    public void The_file_of_versions_names_no_package_that_nothing_uses()
    {
        var used = Repository.Sources(".csproj", ".props", ".targets")
            .SelectMany(file => Elements(file, "PackageReference"))
            .Select(reference => (string?)reference.Attribute("Include"));
        var versioned = Elements("Directory.Packages.props", "PackageVersion")
            .Select(version => (string?)version.Attribute("Include"));

        Assert.Empty(versioned.Except(used));
    }

    // Torch's other backend is a package that is not restored by default; its version is chosen on the command line.
    private static string? OwnVersion(string file, XElement reference) =>
        file == "torch/Torch.csproj" ? null : Said(reference, "VersionOverride");

    // Outside the solution, with versions of its own: what it is built from does not ship.
    private static bool IsDevelopmentTool(string file) => file == "storage/migrations-tool/MigrationsTool.csproj";

    private static string? Said(XElement reference, string name) =>
        (string?)reference.Attribute(name) ?? (string?)reference.Element(name);

    private static IReadOnlyList<string> Projects()
    {
        var projects = Repository.Sources(".csproj");
        // Looking into the wrong folder would find nothing wrong.
        Assert.Contains("tests/Tests.csproj", projects);
        return projects;
    }

    private static IEnumerable<XElement> Elements(string file, string name) =>
        XDocument.Load(Repository.File(file)).Descendants(name).Where(element => element.Attribute("Include") is not null);
}
