using System.Globalization;
using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli.Display;

/// <summary>How runs and stages read: one way on every screen.</summary>
internal static class StageText
{
    public static Markup State(RunState state) => state switch
    {
        RunState.Running => new Markup("[blue]running[/]"),
        RunState.Succeeded => new Markup("[green]succeeded[/]"),
        RunState.Failed => new Markup("[red]failed[/]"),
        _ => new Markup("[yellow]cancelled[/]"),
    };

    public static string Glyph(StageView stage) => stage.State switch
    {
        StageState.Running => "[blue]▶[/]",
        StageState.Succeeded => stage.Reused ? "[green]=[/]" : "[green]✓[/]",
        StageState.Failed => "[red]✗[/]",
        StageState.Cancelled => "[yellow]■[/]",
        StageState.Blocked => "[grey]–[/]",
        StageState.Skipped => "[grey]○[/]",
        _ => "[grey]·[/]",
    };

    public static string Name(StageView stage) => stage.State switch
    {
        StageState.Succeeded when stage.Reused => "reused",
        StageState.Ready when stage.WaitsFor is { } wanted => $"waits for {wanted}",
        StageState.Skipped => $"skipped: {stage.Reason}",
        _ => stage.State.ToString().ToLowerInvariant(),
    };

    /// <summary>Why a stage was computed that an earlier run had too: <c> (sparsity is 0.6, was 0.5)</c>.</summary>
    public static string Why(StageView stage) =>
        stage is { State: StageState.Succeeded, Reused: false, Reason: { } reason } ? $" ({reason})" : "";

    /// <summary><c>sweep.2.prune (sparsity 0.5)</c>.</summary>
    public static string Title(StageView stage) => stage.Variables is { Count: > 0 } variables
        ? $"{stage.Id} ({Values(variables)})"
        : stage.Id;

    /// <summary><c>method wanda, sparsity 0.5</c>.</summary>
    public static string Values(IReadOnlyDictionary<string, JsonElement> variables) =>
        string.Join(", ", variables.Select(value => $"{value.Key} {value.Value}"));

    /// <summary><c>120/300 step  loss 2.31  18.2k tokens/s</c>.</summary>
    public static string Progress(StageProgress progress)
    {
        var figures = progress.Figures.Select(figure => figure.Key.Contains('/', StringComparison.Ordinal)
            ? $"{Number(figure.Value)} {figure.Key}"
            : $"{figure.Key} {Number(figure.Value)}");
        return string.Join("  ", figures.Prepend($"{progress.Done}/{progress.Total} {progress.Unit}"));
    }

    /// <summary>Time left at the pace so far; null before there is one.</summary>
    public static double? Left(StageView stage) =>
        stage is { State: StageState.Running, Seconds: > 1 and var seconds, Progress: { Done: > 0 } progress }
            && progress.Done < progress.Total
            ? seconds / progress.Done * (progress.Total - progress.Done)
            : null;

    /// <summary>A bar of ten places.</summary>
    public static string Bar(StageProgress progress)
    {
        var filled = progress.Total <= 0 ? 0 : (int)Math.Clamp(10 * progress.Done / progress.Total, 0, 10);
        return new string('━', filled) + $"[grey]{new string('─', 10 - filled)}[/]";
    }

    public static string Duration(double seconds) => seconds switch
    {
        >= 59.5 when seconds < 60 => Duration(60),
        < 9.95 => seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
        < 60 => seconds.ToString("0", CultureInfo.InvariantCulture) + " s",
        < 3600 => $"{(int)seconds / 60} m {(int)seconds % 60:00} s",
        _ => $"{(int)seconds / 3600} h {(int)seconds / 60 % 60:00} m",
    };

    /// <summary><c>×1.25</c>.</summary>
    public static string Times(double ratio) => "×" + ratio.ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>Four digits that matter.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        >= 1e9 => (value / 1e9).ToString("0.00", CultureInfo.InvariantCulture) + "G",
        >= 1e6 => (value / 1e6).ToString("0.00", CultureInfo.InvariantCulture) + "M",
        >= 1e4 => (value / 1e3).ToString("0.0", CultureInfo.InvariantCulture) + "k",
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString("0.000", CultureInfo.InvariantCulture),
    };

    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => (bytes / (double)(1L << 30)).ToString("0.00", CultureInfo.InvariantCulture) + " GiB",
        >= 1L << 20 => (bytes / (double)(1L << 20)).ToString("0.00", CultureInfo.InvariantCulture) + " MiB",
        >= 1L << 10 => (bytes / (double)(1L << 10)).ToString("0.0", CultureInfo.InvariantCulture) + " KiB",
        _ => $"{bytes} B",
    };
}
