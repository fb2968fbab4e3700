using System.CommandLine;
using System.Globalization;
using Pipelines.Cli.Display;
using Pipelines.Storage;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

internal static class RunsCommand
{
    private const int Newest = 30;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print a line of JSON for each run" };
        var command = new Command("runs", "Lists the newest runs") { json };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var runs = await engine.Runs.ListAsync(Newest, cancellation);
            if (parsed.GetValue(json))
            {
                foreach (var run in runs)
                    Console.WriteLine(Json.Write(RunEvents.Of(run)).GetRawText());
            }
            else if (runs.Count == 0)
            {
                Console.WriteLine("no runs yet: pipelines run workflows/templates/quickstart.json");
            }
            else
            {
                AnsiConsole.Write(Table(runs));
            }

            return Invocation.Success;
        });
        return command;
    }

    private static Table Table(IReadOnlyList<RunView> runs)
    {
        var table = new Table().Border(TableBorder.None).AddColumns("RUN", "WORKFLOW", "STATE", "STAGES", "STARTED", "TOOK");
        foreach (var run in runs)
        {
            var done = run.Stages.Count(stage => stage.State == StageState.Succeeded);
            table.AddRow(
                new Text(RunName.Short(run.Id)), new Text(run.Name), StageText.State(run.State),
                new Text($"{done}/{run.Stages.Count}"),
                new Text(run.Created.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)),
                new Text(run.Finished is { } end ? StageText.Duration((end - run.Created).TotalSeconds) : "…"));
        }

        return table;
    }
}
