using Pipelines.Cli.Commands;
using Pipelines.Cli.Display;
using Pipelines.Engine;
using Pipelines.Storage;
using Spectre.Console;

namespace Pipelines.Cli;

/// <summary>Stays with a run until it ends, shows it, and puts its results in their folder.</summary>
/// <param name="place">The options that say where state lives, for the command that goes on with a failed run.</param>
internal sealed class RunFollower(PipelinesEngine engine, Guid run, ResultFolder results, bool json, string place)
{
    private const int LastLines = 5;

    public async Task<int> FollowAsync(CancellationToken cancellation)
    {
        var ended = await ShowAsync(cancellation);
        if (!json)
            Summary.Write(AnsiConsole.Console, ended);
        switch (ended.State)
        {
            case RunState.Succeeded:
                await results.FillAsync(ended, engine.Artifacts, cancellation);
                if (!json)
                    Console.WriteLine($"results in {results.Path}");
                return Invocation.Success;
            case RunState.Cancelled:
                Invocation.Errors.WriteLine($"cancelled; go on with: pipelines resume {RunName.Short(run)}{place}");
                return cancellation.IsCancellationRequested ? Invocation.Interrupted : Invocation.RunFailed;
            default:
                await ExplainAsync(ended);
                return Invocation.RunFailed;
        }
    }

    private async Task<RunView> ShowAsync(CancellationToken cancellation)
    {
        using var display = Display();
        var asked = false;
        while (true)
        {
            var view = await engine.Runs.FindAsync(run, CancellationToken.None)
                ?? throw new UserException($"run {run} is gone from the database");
            display.Show(view);
            if (view.State != RunState.Running)
                return view;
            if (cancellation.IsCancellationRequested && !asked)
            {
                asked = true;
                Invocation.Errors.WriteLine("cancelling; once more to leave at once");
                await engine.CancelRunAsync(run, CancellationToken.None);
            }

            await NextAsync(asked ? CancellationToken.None : cancellation);
        }
    }

    private async Task NextAsync(CancellationToken cancellation)
    {
        try
        {
            await engine.WaitForChangeAsync(run, TimeSpan.FromMilliseconds(250), cancellation);
        }
        catch (OperationCanceledException)
        {
            // The loop sees it and cancels the run.
        }
    }

    private IRunDisplay Display() => json
        ? new JsonDisplay(Console.Out)
        : Console.IsOutputRedirected
            ? new LineDisplay(Console.Out, TimeProvider.System)
            : new TerminalDisplay(AnsiConsole.Console);

    private async Task ExplainAsync(RunView ended)
    {
        foreach (var stage in ended.Stages.Where(stage => stage.State == StageState.Failed))
        {
            Invocation.Say($"stage {stage.Id} ({stage.Kind}) failed: {stage.Error}");
            var lines = await engine.Runs.LogsAsync(run, stage.Id, 0, CancellationToken.None);
            foreach (var line in lines.TakeLast(LastLines))
                Invocation.Errors.WriteLine($"  {line.Text}");
        }

        Invocation.Errors.WriteLine($"when that is mended: pipelines resume {RunName.Short(run)}{place}");
    }
}
