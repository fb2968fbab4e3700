using Pipelines.Storage;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Pipelines.Cli.Display;

/// <summary>A line per stage on a terminal, drawn over in place; gone when the run has ended, for the table that follows.</summary>
internal sealed class TerminalDisplay : IRunDisplay
{
    private readonly IAnsiConsole console;
    private readonly TaskCompletionSource ended = new();
    private readonly Task live;
    private LiveDisplayContext? context;

    public TerminalDisplay(IAnsiConsole console)
    {
        this.console = console;
        using var started = new ManualResetEventSlim();
        live = console.Live(new Text("")).AutoClear(true).StartAsync(async drawn =>
        {
            context = drawn;
            started.Set();
            await ended.Task;
        });
        started.Wait();
    }

    public void Show(RunView run) => context!.UpdateTarget(Draw(run, console.Profile.Width, console.Profile.Height));

    public void Dispose()
    {
        ended.TrySetResult();
        live.GetAwaiter().GetResult();
    }

    /// <param name="height">Where there are more stages than lines, those that ended well or wait are counted instead.</param>
    public static IRenderable Draw(RunView run, int width, int height)
    {
        if (run.Stages.Count < height)
            return Lines(run.Stages, width);
        var places = run.Stages.Select((stage, place) => (stage.Id, place)).ToDictionary(one => one.Id, one => one.place);
        var shown = run.Stages.OrderBy(stage => stage.State switch
        {
            StageState.Running => 0,
            StageState.Failed => 1,
            StageState.Ready => 2,
            StageState.Waiting => 3,
            _ => 4,
        }).Take(Math.Max(1, height - 3)).OrderBy(stage => places[stage.Id]).ToList();
        var counts = run.Stages.CountBy(stage => stage.State).OrderBy(state => state.Key)
            .Select(state => $"{state.Value} {state.Key.ToString().ToLowerInvariant()}");
        return new Rows(Lines(shown, width), new Text($"of {run.Stages.Count} stages: {string.Join(", ", counts)}"));
    }

    private static Grid Lines(IReadOnlyList<StageView> stages, int width)
    {
        var grid = new Grid();
        grid.AddColumn(new GridColumn().NoWrap().Width(1).Padding(0, 0, 1, 0));
        grid.AddColumn(new GridColumn().NoWrap().Padding(0, 0, 2, 0));
        grid.AddColumn(new GridColumn().NoWrap().Width(10).Padding(0, 0, 2, 0));
        grid.AddColumn(new GridColumn().NoWrap());
        var nameWidth = Math.Clamp(stages.Max(stage => StageText.Title(stage).Length), 8, Math.Max(8, width / 3));
        var rest = Math.Max(10, width - nameWidth - 18);
        foreach (var stage in stages)
        {
            grid.AddRow(
                new Markup(StageText.Glyph(stage)),
                new Text(Cut(StageText.Title(stage), nameWidth)),
                new Markup(stage is { State: StageState.Running, Progress: { } progress } ? StageText.Bar(progress) : ""),
                new Text(Cut(Detail(stage), rest)));
        }

        return grid;
    }

    private static string Detail(StageView stage)
    {
        if (stage.State != StageState.Running)
        {
            return stage switch
            {
                { State: StageState.Waiting or StageState.Ready, WaitsFor: null } => "",
                { State: StageState.Succeeded, Reused: false, Seconds: { } took } => StageText.Duration(took),
                { State: StageState.Failed, Error: { } error } => error.Split('\n')[0],
                _ => StageText.Name(stage),
            };
        }

        var parts = new List<string>();
        if (stage.Progress is { } progress)
            parts.Add(StageText.Progress(progress));
        if (stage.Seconds is { } seconds)
            parts.Add(StageText.Duration(seconds));
        if (StageText.Left(stage) is { } left)
            parts.Add($"{StageText.Duration(left)} left");
        return string.Join("  ", parts);
    }

    private static string Cut(string text, int width) => text.Length <= width ? text : text[..(width - 1)] + "…";
}
