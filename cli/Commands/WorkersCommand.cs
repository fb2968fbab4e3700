using System.CommandLine;
using Pipelines.Cli.Display;
using Pipelines.Storage;
using Pipelines.Workflows;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

internal static class WorkersCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print a line of JSON for each worker" };
        var command = new Command("workers", "Lists the workers: what each serves, has and runs, and its last sign of life") { json };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var workers = await engine.WorkersAsync(cancellation);
            if (parsed.GetValue(json))
            {
                foreach (var worker in workers)
                    Console.WriteLine(Json.Write(worker).GetRawText());
            }
            else if (workers.Count == 0)
            {
                Console.WriteLine("no workers: pipelines worker starts one, and pipelines run is one while it lasts");
            }
            else
            {
                AnsiConsole.Write(Table(workers));
            }

            return Invocation.Success;
        });
        return command;
    }

    private static Table Table(IReadOnlyList<WorkerView> workers)
    {
        var table = new Table().Border(TableBorder.None).AddColumns("", "WORKER", "STATE", "SLOTS", "DEVICES", "LAST SEEN", "RUNS");
        foreach (var worker in workers)
        {
            table.AddRow(
                new Markup(Symbol(worker.State)), new Text(worker.Id), new Text(Json.Write(worker.State).GetString()!),
                new Text(string.Join(",", worker.Slots.OrderBy(group => group.Key).Select(group => $"{group.Key}={group.Value}"))),
                new Text(string.Join(",", worker.Devices)), new Text($"{StageText.Duration(worker.Silent)} ago"),
                new Text(string.Join(", ", worker.Stages.Select(stage => $"{RunName.Short(stage.Run)}/{stage.Stage} on {stage.Device}"))));
        }

        return table;
    }

    private static string Symbol(WorkerState state) => state switch
    {
        WorkerState.Dead => "[red]✗[/]",
        WorkerState.Draining => "[yellow]◌[/]",
        _ => "[green]●[/]",
    };
}
