using System.CommandLine;
using System.Globalization;
using Pipelines.Bench;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

/// <summary>Measures image networks against plain Python on the same machine, in the same run.</summary>
internal static class BenchVisionCommand
{
    public static Command Create(Func<string> peers)
    {
        var threads = new Option<int>("--threads") { Description = "LibTorch's threads, on both sides", DefaultValueFactory = _ => Environment.ProcessorCount };
        var rounds = new Option<int>("--rounds") { Description = "Runs of each side; the median counts", DefaultValueFactory = _ => 3 };
        var batches = new Option<int>("--batches") { Description = "Batches of 128 in a run", DefaultValueFactory = _ => 10 };
        var python = new Option<string>("--python") { Description = "A Python that has torch", DefaultValueFactory = _ => "/usr/bin/python3" };
        var command = new Command("vision", "Forward and training of ResNet-56 against plain PyTorch") { threads, rounds, batches, python };
        command.SetWork((parsed, _) =>
        {
            var bench = new VisionBench(
                Environment.ProcessPath!, peers(), parsed.GetRequiredValue(python), parsed.GetValue(threads), parsed.GetValue(rounds),
                parsed.GetValue(batches), line => Invocation.Errors.WriteLine(line));
            try
            {
                var all = bench.Run();
                AnsiConsole.Write(Table(all));
                Console.WriteLine(VisionBench.Line(all));
                return Task.FromResult(Invocation.Success);
            }
            catch (UnavailableException error)
            {
                throw new UserException($"{error.Message}\nPython's side needs torch: apt-get install python3-torch");
            }
        });
        return command;
    }

    public static Command Work()
    {
        var method = new Argument<string>("method");
        var model = new Argument<string>("model");
        var images = new Argument<string>("images");
        var threads = new Argument<int>("threads");
        var command = new Command("vision-work", "One method of the vision bench, in this process") { method, model, images, threads };
        command.Hidden = true;
        command.SetWork((parsed, _) =>
        {
            var measured = VisionWork.Run(
                parsed.GetRequiredValue(method), parsed.GetRequiredValue(model), parsed.GetRequiredValue(images), parsed.GetValue(threads));
            Console.WriteLine(measured.Line());
            return Task.FromResult(Invocation.Success);
        });
        return command;
    }

    private static Table Table(IEnumerable<Compared> all)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("method");
        foreach (var column in new[] { "images/s", "Python's", "ratio", "MiB", "Python's" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var one in all)
        {
            table.AddRow(
                one.Method, Number(one.Ours.TokensPerSecond, "0"), Number(one.Python.TokensPerSecond, "0"), Number(1 / one.TimeRatio, "0.00"),
                Number(one.Ours.PeakMb, "0"), Number(one.Python.PeakMb, "0"));
        }

        return table;
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
