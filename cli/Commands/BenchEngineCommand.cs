using System.CommandLine;
using System.Globalization;
using Pipelines.Bench;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

/// <summary>Measures the engine with stages that do nothing.</summary>
internal static class BenchEngineCommand
{
    public static Command Create()
    {
        var history = Number("--history", "Ended runs in the database for the second half; 0 leaves it out", 100_000);
        var runs = Number("--runs", "One-stage runs to drain", 2000);
        var rounds = Number("--rounds", "Chains and fans; the median counts", 7);
        var workers = Number("--workers", "Workers, all in this process", 1);
        var slots = Number("--slots", "Stages at once in each worker", 8);
        var database = new Option<string?>("--database")
        {
            Description = "Postgres connection string; the bench makes a database there and drops it. Without one: a private cluster in a temporary folder",
            HelpName = "string",
        };
        var profile = new Option<bool>("--profile") { Description = "Say which commands to the database took the time, per stage" };
        var command = new Command("engine", "Stages that do nothing: overhead, time to start, throughput")
        {
            history, runs, rounds, workers, slots, database, profile,
        };
        command.SetWork(async (parsed, cancellation) =>
        {
            foreach (var (option, least) in new[] { (history, 0), (runs, 1), (rounds, 1), (workers, 1), (slots, 1) })
            {
                if (parsed.GetValue(option) < least)
                    throw new UserException($"{option.Name} {parsed.GetValue(option)}: expected at least {least}");
            }

            var options = new EngineBenchOptions(
                parsed.GetValue(database), parsed.GetValue(history), parsed.GetValue(runs), parsed.GetValue(rounds),
                parsed.GetValue(workers), parsed.GetValue(slots), parsed.GetValue(profile));
            var (fresh, old) = await new EngineBench(options, line => Invocation.Errors.WriteLine(line)).RunAsync(cancellation);
            AnsiConsole.Write(Table(options, fresh, old));
            AnsiConsole.WriteLine($"{options.Workers} worker(s) of {options.Slots} slots and the client in one process; idle traffic is subtracted from what is counted");
            Console.WriteLine(EngineSpeed.Line(fresh, old));
            return Invocation.Success;
        });
        return command;
    }

    private static Option<int> Number(string name, string description, int standard) =>
        new(name) { Description = description, DefaultValueFactory = _ => standard };

    private static Table Table(EngineBenchOptions options, EngineSpeed fresh, EngineSpeed? old)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("figure").AddColumn(new TableColumn("empty database").RightAligned());
        if (old is null)
        {
            foreach (var (name, value) in fresh.Figures())
                table.AddRow(name, Text(value));
            return table;
        }

        table.AddColumn(new TableColumn($"{options.History} ended runs").RightAligned());
        foreach (var (figure, aged) in fresh.Figures().Zip(old.Figures()))
            table.AddRow(figure.Key, Text(figure.Value), Text(aged.Value));
        return table;
    }

    private static string Text(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "–";
}
