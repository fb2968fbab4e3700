using System.Globalization;
using System.Text;
using System.Text.Json;
using Pipelines.Storage;
using Spectre.Console;

namespace Pipelines.Cli.Display;

/// <summary>What stages measured, a table for each protocol: for runs whose models no report gathers.</summary>
internal static class FoundTables
{
    private const string Protocol = "protocol";

    // What a model is comes after how good it is.
    private static readonly string[] Sizes = ["parameters", "nonzero", "bytes", "flops"];

    public static void Write(IAnsiConsole console, RunView run)
    {
        var drawn = run.Outputs.Values.Where(HasATableOfItsOwn).ToArray();
        var found = run.Stages
            .Where(stage => stage.Outputs is { ValueKind: JsonValueKind.Object })
            .SelectMany(stage => stage.Outputs!.Value.EnumerateObject()
                .Where(output => IsMeasured(output.Value) && !drawn.Any(one => JsonElement.DeepEquals(one, output.Value)))
                .Select(output => (Stage: StageText.Title(stage), output.Value)))
            .GroupBy(one => one.Value.GetProperty(Protocol).GetString()!);
        foreach (var alike in found)
        {
            console.Write(Of([.. alike.Select(one => (one.Stage, Figures(one.Value)))]));
            console.MarkupLineInterpolated($"  [grey]{alike.Key}[/]");
        }
    }

    /// <summary>Of what the workflow says as its outcome: a speed and a classifier's scores.</summary>
    private static bool HasATableOfItsOwn(JsonElement output) =>
        output.ValueKind == JsonValueKind.Object && (output.TryGetProperty("threads", out _) || output.TryGetProperty("classes", out _));

    private static bool IsMeasured(JsonElement output) =>
        output.ValueKind == JsonValueKind.Object && output.TryGetProperty(Protocol, out var protocol)
            && protocol.ValueKind == JsonValueKind.String && Figures(output).Count > 0;

    private static Table Of(IReadOnlyList<(string Stage, Dictionary<string, string> Figures)> rows)
    {
        var columns = rows.SelectMany(row => row.Figures.Keys).Distinct().OrderBy(column => Array.IndexOf(Sizes, column)).ToArray();
        var table = new Table().Border(TableBorder.Simple).AddColumn("");
        foreach (var column in columns)
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var (stage, figures) in rows)
            table.AddRow([new Text(stage), .. columns.Select(column => new Text(figures.GetValueOrDefault(column, "")))]);
        return table;
    }

    /// <summary>The numbers of a measurement by their names, and of pairs that were timed how many times as fast the second was.</summary>
    private static Dictionary<string, string> Figures(JsonElement measured)
    {
        var figures = new Dictionary<string, string>();
        foreach (var member in measured.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Number)
                figures[Words(member.Name)] = member.NameEquals("bytes") ? StageText.Bytes(member.Value.GetInt64()) : Number(member.Value.GetDouble());
            else if (member.Value.ValueKind == JsonValueKind.Object && member.Value.TryGetProperty("ratio", out var ratio))
                figures[Words(member.Name)] = $"×{Times(ratio, "median")} (×{Times(ratio, "lowest")} to ×{Times(ratio, "highest")})";
        }

        return figures;
    }

    private static string Times(JsonElement spread, string name) => spread.GetProperty(name).GetDouble().ToString("0.00", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString(
        value == Math.Floor(value) || Math.Abs(value) >= 10_000 ? "N0" : Math.Abs(value) < 1 ? "0.0000" : "0.000", CultureInfo.InvariantCulture);

    /// <summary><c>standardError</c> as <c>standard error</c>.</summary>
    private static string Words(string member)
    {
        var words = new StringBuilder();
        foreach (var letter in member)
            words.Append(char.IsUpper(letter) ? $" {char.ToLowerInvariant(letter)}" : letter);
        return words.ToString();
    }
}
