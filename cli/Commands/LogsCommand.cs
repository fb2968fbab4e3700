using System.CommandLine;
using System.Globalization;
using Pipelines.Storage;

namespace Pipelines.Cli.Commands;

internal static class LogsCommand
{
    public static Command Create()
    {
        var name = RunName.Argument();
        var stage = new Argument<string?>("stage") { Description = "Of this stage; without it, of all", Arity = ArgumentArity.ZeroOrOne };
        var follow = new Option<bool>("--follow") { Description = "Go on until the run ends" };
        var command = new Command("logs", "Prints what a run's stages logged") { name, stage, follow };
        var place = new Place();
        place.AddTo(command);
        command.SetWork(async (parsed, cancellation) =>
        {
            await using var engine = await place.OpenAsync(parsed, cancellation);
            var run = await engine.Runs.FindAsync(parsed.GetRequiredValue(name), cancellation);
            var wanted = parsed.GetValue(stage);
            if (wanted is not null && run.Stages.All(one => one.Id != wanted))
                throw new UserException($"run {RunName.Short(run.Id)} has no stage '{wanted}': it has {string.Join(", ", run.Stages.Select(one => one.Id))}");
            for (var after = 0L; ;)
            {
                var lines = await engine.Runs.LogsAsync(run.Id, wanted, after, cancellation);
                foreach (var line in lines)
                    Console.WriteLine(Text(line, wanted is null));
                after = lines.Count > 0 ? lines[^1].Id : after;
                if (!parsed.GetValue(follow) || (run.State != RunState.Running && lines.Count == 0))
                    break;
                await engine.WaitForChangeAsync(run.Id, TimeSpan.FromSeconds(1), cancellation);
                run = await engine.Runs.FindAsync(run.Id, cancellation) ?? run;
            }

            foreach (var failed in run.Stages.Where(one => one.Error is not null && (wanted is null || one.Id == wanted)))
                Console.WriteLine($"{failed.Id} failed: {failed.Error}");
            return Invocation.Success;
        });
        return command;
    }

    private static string Text(LogLine line, bool named)
    {
        var at = line.At.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
        var attempt = line.Attempt > 1 ? $" (attempt {line.Attempt})" : "";
        return named ? $"{at} {line.Stage}{attempt}: {line.Text}" : $"{at}{attempt} {line.Text}";
    }
}
