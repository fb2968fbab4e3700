using System.CommandLine;

namespace Pipelines.Cli.Commands;

internal static class CancelCommand
{
    public static Command Create()
    {
        var name = RunName.Argument();
        var command = new Command("cancel", "Cancels a run, on whatever worker it is; finished stages stay") { name };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var run = await engine.Runs.FindAsync(parsed.GetRequiredValue(name), cancellation);
            await engine.CancelRunAsync(run.Id, cancellation);
            Console.WriteLine($"run {RunName.Short(run.Id)} is being cancelled");
            return Invocation.Success;
        });
        return command;
    }
}
