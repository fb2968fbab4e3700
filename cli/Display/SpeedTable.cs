using System.Globalization;
using Pipelines.Activities;
using Spectre.Console;

namespace Pipelines.Cli.Display;

/// <summary>Two models that were timed in turns: the middle of the rounds, and how far they lie apart.</summary>
internal static class SpeedTable
{
    public static Table Of(SpeedComparison speed)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("");
        foreach (var column in new[] { "dense", "pruned", "times as fast", "slowest and fastest round" })
            table.AddColumn(new TableColumn(column).RightAligned());
        Row("prefill, tokens/s", speed.Prefill);
        Row("decode, tokens/s", speed.Decode);
        Row("images/s", speed.Images);
        if (speed.Batch is { } batch)
            table.AddRow("ms for a batch", Number(1e3 * batch.Dense.Median), Number(1e3 * batch.Pruned.Median), "", "");
        return table;

        void Row(string name, SpeedPair? pair)
        {
            if (pair is not null)
                table.AddRow(name, Number(pair.Dense.Median), Number(pair.Pruned.Median), StageText.Times(pair.Ratio.Median), $"{StageText.Times(pair.Ratio.Lowest)} to {StageText.Times(pair.Ratio.Highest)}");
        }
    }

    private static string Number(double value) => value.ToString(value < 100 ? "0.00" : "N0", CultureInfo.InvariantCulture);
}
