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
        var (comparison, ranking) = (ReportFile.Comparison(run), ReportFile.Ranking(run));
        if (comparison is not null)
            console.Write(Models(comparison));
        if (ranking is not null)
            console.Write(Ranked(ranking));
        if (comparison is null && ranking is null)
            FoundTables.Write(console, run);
        if (ReportFile.Speed(run) is { } speed)
            console.Write(SpeedTable.Of(speed));
        if (ReportFile.Scores(run) is { } scores)
            ClassTable.Write(console, scores);
    }

    private static Table Stages(RunView run)
    {
        var table = new Table().Border(TableBorder.None).AddColumns("", "STAGE", "KIND", "STATE");
        table.AddColumn(new TableColumn("TIME").RightAligned());
        foreach (var stage in run.Stages)
        {
            table.AddRow(
                new Markup(StageText.Glyph(stage)), new Text(StageText.Title(stage)), new Text(stage.Kind),
                new Text(StageText.Name(stage) + (stage.Attempt > 1 ? $", attempt {stage.Attempt}" : "") + StageText.Why(stage)),
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
        Row(QualityName(models[0]), QualityText, model => model.Perplexity ?? model.Accuracy ?? double.NaN);
        Row("parameters", model => model.Parameters.ToString("N0", CultureInfo.InvariantCulture), model => model.Parameters);
        Row("non-zero", model => model.Nonzero.ToString("N0", CultureInfo.InvariantCulture), model => model.Nonzero);
        Row("size", model => StageText.Bytes(model.Bytes), model => model.Bytes);
        if (models.All(model => model.Flops is not null))
            Row(models[0].Perplexity is null ? "MFLOPs/image" : "MFLOPs/token", model => (model.Flops!.Value / 1e6).ToString("0.00", CultureInfo.InvariantCulture), model => model.Flops!.Value);
        return table;

        void Row(string name, Func<ModelFigures, string> text, Func<ModelFigures, double> value) => table.AddRow(
            [name, .. models.Select((model, index) => index == 0
                ? text(model)
                : $"{text(model)}  {StageText.Times(value(model) / value(models[0]))}")]);
    }

    private static Table Ranked(Ranking ranking)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("").RightAligned()).AddColumn("model");
        var speeds = Speeds(ranking);
        foreach (var column in (string[])[QualityName(ranking.Models[0].Figures), "parameters", "non-zero", "size", .. speeds.Select(speed => speed.Name)])
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("");
        foreach (var model in ranking.Models)
        {
            table.AddRow(
            [
                model.Rank.ToString(CultureInfo.InvariantCulture),
                Markup.Escape(model.Variables.Count > 0 ? StageText.Values(model.Variables) : model.Stage),
                QualityText(model.Figures),
                model.Figures.Parameters.ToString("N0", CultureInfo.InvariantCulture),
                model.Figures.Nonzero.ToString("N0", CultureInfo.InvariantCulture),
                StageText.Bytes(model.Figures.Bytes),
                .. speeds.Select(speed => model.Speed is { } known ? StageText.Times(speed.Of(known)!.Median) : ""),
                Fronts(ranking, model),
            ]);
        }

        return table;
    }

    /// <summary>The columns that a ranking has for speed: language models have two.</summary>
    private static (string Name, Func<RankedSpeed, Spread?> Of)[] Speeds(Ranking ranking) => ranking.Speed?.Measure switch
    {
        null => [],
        SpeedMeasure.Images => [("images", speed => speed.Images)],
        _ => [("decode", speed => speed.Decode), ("prefill", speed => speed.Prefill)],
    };

    private static string Fronts(Ranking ranking, RankedModel model)
    {
        if (ranking.Speed is null)
            return model.Pareto ? "[green]◆ Pareto[/]" : "";
        var fronts = new[] { model.Pareto ? "size" : null, model.Speed is { Pareto: true } ? "speed" : null }.OfType<string>().ToArray();
        return fronts.Length > 0 ? $"[green]◆ {string.Join(", ", fronts)}[/]" : "";
    }

    private static string QualityName(ModelFigures figures) => figures.Perplexity is null ? "accuracy" : "perplexity";

    private static string QualityText(ModelFigures figures) => figures.Perplexity is { } perplexity
        ? perplexity.ToString("0.000", CultureInfo.InvariantCulture)
        : figures.Accuracy?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "–";
}
