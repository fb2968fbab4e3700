using Pipelines.Storage;

namespace Pipelines.Cli.Display;

/// <summary>A line for each change of state, and for progress every few seconds: for pipes and log files.</summary>
internal sealed class LineDisplay(TextWriter writer, TimeProvider time) : IRunDisplay
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, StageState> shown = [];
    private readonly Dictionary<string, long> told = [];

    public void Show(RunView run)
    {
        foreach (var stage in run.Stages)
        {
            if (!shown.TryGetValue(stage.Id, out var before) || before != stage.State)
                Change(stage);
            else if (stage is { State: StageState.Running, Progress: { } progress } && Due(stage.Id))
                writer.WriteLine($"{StageText.Title(stage)}: {StageText.Progress(progress)}{Left(stage)}");
        }
    }

    public void Dispose()
    {
    }

    private void Change(StageView stage)
    {
        shown[stage.Id] = stage.State;
        told[stage.Id] = time.GetTimestamp();
        if (stage is { State: StageState.Waiting or StageState.Ready, WaitsFor: null })
            return;
        var took = stage is { State: StageState.Succeeded, Reused: false, Seconds: { } seconds }
            ? $" in {StageText.Duration(seconds)}"
            : "";
        writer.WriteLine($"{StageText.Title(stage)}: {StageText.Name(stage)}{took}{StageText.Why(stage)}");
    }

    private bool Due(string stage)
    {
        if (time.GetElapsedTime(told[stage]) < Between)
            return false;
        told[stage] = time.GetTimestamp();
        return true;
    }

    private static string Left(StageView stage) =>
        StageText.Left(stage) is { } left ? $"  {StageText.Duration(left)} left" : "";
}
