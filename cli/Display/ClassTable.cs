using System.Globalization;
using Pipelines.Activities;
using Spectre.Console;

namespace Pipelines.Cli.Display;

/// <summary>How a classifier does, class by class; of many classes those that it does worst on.</summary>
internal static class ClassTable
{
    private const int Most = 20;

    public static void Write(IAnsiConsole console, ClassificationScores scores)
    {
        var few = scores.Top5 is { } top5 ? $", {Share(top5)} among five" : "";
        console.WriteLine($"{Count(scores.Images)} images: {Share(scores.Top1)} recognised{few}; calibration error {Share(scores.CalibrationError)}");
        var shown = scores.Classes.Count <= Most
            ? scores.Classes
            : [.. scores.Classes.Where(one => one.Images > 0).OrderBy(one => (double)one.Right / one.Images).Take(Most)];
        var table = new Table().Border(TableBorder.Simple).AddColumn("class");
        foreach (var column in new[] { "images", "recognised", "taken for it" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var one in shown)
            table.AddRow(Markup.Escape(one.Name), Count(one.Images), one.Images == 0 ? "–" : Share((double)one.Right / one.Images), Count(one.Said));
        console.Write(table);
        if (shown.Count < scores.Classes.Count)
            console.WriteLine($"of {scores.Classes.Count} classes the {shown.Count} that are recognised least; all are among the run's outputs");
    }

    private static string Share(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
