using System.Globalization;
using Pipelines.Activities;
using Pipelines.Storage;
using Spectre.Console;

namespace Pipelines.Cli.Display;

/// <summary>What a run came to: its stages with their times, and the model before and after.</summary>
internal static class Summary
{
    public static void Write(IAnsiConsole console, RunView run)
    {
        console.Write(Stages(run));
        if (ReportFile.Comparison(run) is { } comparison)
            console.Write(Models(comparison));
    }

    private static Table Stages(RunView run)
    {
        var table = new Table().Border(TableBorder.None).AddColumns("", "STAGE", "KIND", "STATE");
        table.AddColumn(new TableColumn("TIME").RightAligned());
        foreach (var stage in run.Stages)
        {
            table.AddRow(
                new Markup(StageText.Glyph(stage)), new Text(stage.Id), new Text(stage.Kind),
                new Text(StageText.Name(stage) + (stage.Attempt > 1 ? $", attempt {stage.Attempt}" : "")),
                new Text(stage is { Reused: false, Seconds: { } seconds } ? StageText.Duration(seconds) : ""));
        }

        return table;
    }

    private static Table Models(Comparison comparison)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("");
        foreach (var column in new[] { "dense", "pruned", "recovered" }[..(comparison.Recovered is null ? 2 : 3)])
            table.AddColumn(new TableColumn(column).RightAligned());
        ModelFigures[] models = comparison.Recovered is { } recovered
            ? [comparison.Dense, comparison.Pruned, recovered]
            : [comparison.Dense, comparison.Pruned];
        Row("perplexity", model => model.Perplexity.ToString("0.000", CultureInfo.InvariantCulture), model => model.Perplexity);
        Row("parameters", model => model.Parameters.ToString("N0", CultureInfo.InvariantCulture), model => model.Parameters);
        Row("non-zero", model => model.Nonzero.ToString("N0", CultureInfo.InvariantCulture), model => model.Nonzero);
        Row("size", model => StageText.Bytes(model.Bytes), model => model.Bytes);
        return table;

        void Row(string name, Func<ModelFigures, string> text, Func<ModelFigures, double> value) => table.AddRow(
            [name, .. models.Select((model, index) => index == 0
                ? text(model)
                : $"{text(model)}  {Ratio(value(model) / value(models[0]))}")]);
    }

    private static string Ratio(double ratio) => $"×{ratio.ToString("0.00", CultureInfo.InvariantCulture)}";
}
