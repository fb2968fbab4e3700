using System.CommandLine;
using Pipelines.Cli.Display;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

internal static class ShowCommand
{
    public static Command Create()
    {
        var name = RunName.Argument();
        var json = new Option<bool>("--json") { Description = "Print one JSON object" };
        var command = new Command("show", "Shows a run: its stages, what they found, why one failed") { name, json };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var run = await engine.Runs.FindAsync(parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(json))
            {
                Console.WriteLine(Json.Pretty(run));
                return Invocation.Success;
            }

            AnsiConsole.Write(StageText.State(run.State));
            AnsiConsole.MarkupLineInterpolated($"  run {run.Id}  {run.Name}");
            foreach (var (parameter, value) in run.Parameters)
                AnsiConsole.MarkupLineInterpolated($"  {parameter} = {value.GetRawText()}");
            Summary.Write(AnsiConsole.Console, run);
            foreach (var stage in run.Stages.Where(stage => stage.Error is not null))
                AnsiConsole.MarkupLineInterpolated($"{stage.Id}: [red]{stage.Error!}[/]");
            return Invocation.Success;
        });
        return command;
    }
}
