using System.Text.RegularExpressions;
using Pipelines.Activities;
using Pipelines.Workflows;

namespace Pipelines.Tests.Guards;

/// <summary>The activities that exist, those that the catalog has, and those that docs/activities.md describes.</summary>
public sealed partial class ActivityListTests
{
    private const string None = "–";

    [Fact]
    public void Every_activity_is_in_the_catalog()
    {
        var written = typeof(ActivityCatalog).Assembly.GetTypes().Where(IsActivity).Select(Kind).Order();
        var listed = ActivityCatalog.Create().Entries.Select(entry => entry.Kind).Order();

        Assert.Equal(written, listed);
    }

    [Fact]
    public void Every_activity_says_what_it_does() =>
        Assert.Empty(ActivityCatalog.Create().Entries.Where(entry => entry.Description.Length == 0).Select(entry => entry.Kind));

    [Fact]
    public void Every_parameter_says_what_it_is()
    {
        var silent =
            from entry in ActivityCatalog.Create().Entries
            from parameter in entry.Parameters["properties"]?.AsObject() ?? []
            where string.IsNullOrWhiteSpace(parameter.Value?["description"]?.ToString())
            select $"{entry.Kind}: {parameter.Key}";

        Assert.Empty(silent);
    }

    [Fact]
    public void Every_kind_has_one_row_in_the_documentation_and_every_row_a_kind() =>
        Assert.Equal(ActivityCatalog.Create().Entries.Select(entry => entry.Kind).Order(), Rows().Select(row => row[0]).Order());

    [Fact]
    public void Rows_list_the_ports_that_the_activity_has()
    {
        var catalog = ActivityCatalog.Create();
        foreach (var row in Rows())
        {
            var entry = catalog.Find(row[0])!;
            Assert.Equal($"{row[0]} takes {Written(entry.Inputs)}", $"{row[0]} takes {row[3]}");
            Assert.Equal($"{row[0]} makes {Written(entry.Outputs)}", $"{row[0]} makes {row[4]}");
        }
    }

    [Fact]
    public void Rows_say_what_the_activity_does() => Assert.All(Rows(), row => Assert.True(row[1].Length > 10, row[0]));

    private static string Written(IReadOnlyList<Port> ports) => ports.Count == 0
        ? None
        : string.Join(", ", ports.Select(port => $"`{port.Name}: {port.Type}{(port.Optional ? "?" : "")}`"));

    /// <summary>The cells of each row: kind, what it does, source, inputs, outputs.</summary>
    private static List<string[]> Rows()
    {
        var rows = File.ReadLines(Repository.File("docs", "activities.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => Bar().Split(line)[1..^1].Select(cell => cell.Trim()).ToArray())
            .ToList();
        Assert.All(rows, row => Assert.Equal(5, row.Length));
        foreach (var row in rows)
            row[0] = row[0].Trim('`');
        return rows;
    }

    internal static bool IsActivity(Type type)
    {
        for (var at = type.IsAbstract ? null : type.BaseType; at is not null; at = at.BaseType)
        {
            if (at.IsGenericType && at.GetGenericTypeDefinition() == typeof(Activity<,,>))
                return true;
        }

        return false;
    }

    internal static string Kind(Type type) =>
        (string)type.GetProperty("Kind")!.GetValue(Activator.CreateInstance(type, nonPublic: true))!;

    // A bar inside a cell is written \|.
    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex Bar();
}
