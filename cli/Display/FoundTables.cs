using System.Globalization;
using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Storage;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli.Display;

/// <summary>What stages measured, a table for each protocol: for runs whose models no report gathers.</summary>
internal static class FoundTables
{
    // What a model is comes after how good it is.
    private static readonly string[] Sizes = ["parameters", "nonzero", "bytes", "flops"];

    public static void Write(IAnsiConsole console, RunView run)
    {
        var drawn = run.Outputs.Values.Where(HasATableOfItsOwn).ToArray();
        var found = run.Stages
            .Where(stage => stage.Outputs is { ValueKind: JsonValueKind.Object })
            .SelectMany(stage => stage.Outputs!.Value.EnumerateObject()
                .Where(output => !drawn.Any(one => JsonElement.DeepEquals(one, output.Value)))
                .Select(output => (Protocol: ProtocolOf(output.Value), Stage: StageText.Title(stage), Figures: Figures(output.Value))))
            .Where(one => one is { Protocol: not null, Figures.Count: > 0 })
            .GroupBy(one => one.Protocol, one => (one.Stage, one.Figures));
        foreach (var alike in found)
        {
            console.Write(Of([.. alike]));
            console.MarkupLineInterpolated($"  [grey]{alike.Key}[/]");
        }
    }

    /// <summary>Of what the workflow says as its outcome: a speed and a classifier's scores.</summary>
    private static bool HasATableOfItsOwn(JsonElement output) =>
        output.ValueKind == JsonValueKind.Object && (output.TryGetProperty("threads", out _) || output.TryGetProperty("classes", out _));

    private static string? ProtocolOf(JsonElement output) =>
        output.ValueKind == JsonValueKind.Object && output.TryGetProperty("protocol", out var protocol) && protocol.ValueKind == JsonValueKind.String
            ? protocol.GetString()
            : null;

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
        if (measured.ValueKind != JsonValueKind.Object)
            return figures;
        foreach (var member in measured.EnumerateObject())
        {
            // standardError is read as "standard error".
            var name = JsonNamingPolicy.KebabCaseLower.ConvertName(member.Name).Replace('-', ' ');
            if (member.Value.ValueKind == JsonValueKind.Number)
                figures[name] = member.NameEquals("bytes") ? StageText.Bytes(member.Value.GetInt64()) : Number(member.Value.GetDouble());
            else if (member.Value.ValueKind == JsonValueKind.Object && member.Value.TryGetProperty("ratio", out var times) && times.ValueKind == JsonValueKind.Object)
                figures[name] = Text(Json.Read<Spread>(times));
        }

        return figures;
    }

    private static string Text(Spread times) =>
        $"{StageText.Times(times.Median)} ({StageText.Times(times.Lowest)} to {StageText.Times(times.Highest)})";

    private static string Number(double value) => value.ToString(
        value == Math.Floor(value) || Math.Abs(value) >= 10_000 ? "N0" : Math.Abs(value) < 1 ? "0.0000" : "0.000", CultureInfo.InvariantCulture);
}
