using System.CommandLine;
using System.Globalization;
using Pipelines.Bench;
using Spectre.Console;

namespace Pipelines.Cli.Commands;

/// <summary>Measures this program against plain Python on the same machine, in the same run.</summary>
internal static class BenchCommand
{
    public static Command Create() => new("bench", "Measures this machine and this program") { Compute(), BenchVisionCommand.Create(Peers), BenchVisionCommand.Work(), Models(), BenchEngineCommand.Create(), BenchArtifactsCommand.Create(), Work() };

    private static Command Compute()
    {
        var threads = new Option<int>("--threads") { Description = "LibTorch's threads, on both sides", DefaultValueFactory = _ => Environment.ProcessorCount };
        var rounds = new Option<int>("--rounds") { Description = "Runs of each side; the median counts", DefaultValueFactory = _ => 3 };
        var python = new Option<string>("--python") { Description = "A Python that has torch", DefaultValueFactory = _ => "/usr/bin/python3" };
        var reference = new Option<string?>("--reference")
        {
            Description = "A folder with checkouts of github.com/locuslab/wanda, as wanda, and github.com/CASIA-IVA-Lab/FLAP, as FLAP: "
                + "their own code is timed in place of the plain scripts",
            HelpName = "folder",
        };
        var size = new Option<string>("--size") { Description = "Width and blocks of the model", DefaultValueFactory = _ => BenchSize.All.Keys.First() };
        size.AcceptOnlyFromAmong([.. BenchSize.All.Keys]);
        var sequences = new Option<int>("--sequences") { Description = "Of 512 tokens", DefaultValueFactory = _ => 64 };
        var methods = new Option<string[]>("--method")
        {
            Description = "Which of them; all unless named",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => ComputeWork.Methods,
        };
        methods.AcceptOnlyFromAmong(ComputeWork.Methods);
        var command = new Command("compute", "Forward, LoRA training and pruning against PyTorch from Python")
        {
            threads, rounds, python, reference, size, sequences, methods,
        };
        command.SetWork((parsed, _) =>
        {
            var bench = new ComputeBench(
                Environment.ProcessPath!, Peers(), parsed.GetRequiredValue(python), Reference(parsed.GetValue(reference)),
                BenchSize.All[parsed.GetRequiredValue(size)], parsed.GetValue(sequences), parsed.GetRequiredValue(methods), parsed.GetValue(threads),
                parsed.GetValue(rounds), line => Invocation.Errors.WriteLine(line));
            try
            {
                var all = bench.Run();
                AnsiConsole.Write(Table(all));
                Console.WriteLine(Compared.Line(all));
                return Task.FromResult(Invocation.Success);
            }
            catch (UnavailableException error)
            {
                throw new UserException($"{error.Message}\nPython's side needs torch: apt-get install python3-torch");
            }
        });
        return command;
    }

    private static Command Models()
    {
        var folders = new Argument<string[]>("folders") { Description = "Model folders; the first is what the others are compared with", Arity = ArgumentArity.OneOrMore };
        var length = new Option<int>("--length") { Description = "Tokens in a sequence", DefaultValueFactory = _ => 256 };
        var threads = new Option<int>("--threads") { Description = "LibTorch's threads", DefaultValueFactory = _ => Environment.ProcessorCount };
        var command = new Command("models", "Forward passes of several checkpoints, in turn") { folders, length, threads };
        command.SetWork((parsed, _) =>
        {
            var names = parsed.GetRequiredValue(folders);
            var speeds = ModelSpeed.Measure(names, parsed.GetValue(length), parsed.GetValue(threads));
            var table = new Table().Border(TableBorder.Simple).AddColumns("model", "tokens/s", "ratio");
            foreach (var (name, speed) in names.Zip(speeds))
                table.AddRow(new Text(name), new Text(Number(speed, "0")), new Text(Number(speed / speeds[0])));
            AnsiConsole.Write(table);
            return Task.FromResult(Invocation.Success);
        });
        return command;
    }

    private static Command Work()
    {
        var method = new Argument<string>("method");
        var model = new Argument<string>("model");
        var tokens = new Argument<string>("tokens");
        var threads = new Argument<int>("threads");
        var command = new Command("compute-work", "One method of the compute bench, in this process") { method, model, tokens, threads };
        command.Hidden = true;
        command.SetWork((parsed, _) =>
        {
            var measured = ComputeWork.Run(
                parsed.GetRequiredValue(method), parsed.GetRequiredValue(model), parsed.GetRequiredValue(tokens),
                parsed.GetValue(threads));
            Console.WriteLine(measured.Line());
            return Task.FromResult(Invocation.Success);
        });
        return command;
    }

    private static string? Reference(string? folder)
    {
        if (folder is not null && Array.Find(["wanda", "FLAP"], name => !File.Exists(Path.Combine(folder, name, "lib", "prune.py"))) is { } absent)
            throw new UserException($"--reference {folder}: expected a checkout in {absent}/, with lib/prune.py");
        return folder is null ? null : Path.GetFullPath(folder);
    }

    // The scripts are read from the checkout: the bench is for those who have it.
    private static string Peers()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var peers = Path.Combine(folder.FullName, "bench", "peers");
            if (Directory.Exists(peers))
                return peers;
        }

        throw new UserException("bench/peers is not here: the bench runs from a checkout");
    }

    private static Table Table(IEnumerable<Compared> all)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("method");
        foreach (var column in new[] { "s", "Python s", "ratio", "CPU s", "Python CPU s", "ratio", "MiB", "Python MiB", "ratio", "own MiB", "Python own", "ratio", "same" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var one in all)
        {
            table.AddRow(
                one.Method, Number(one.Ours.Seconds), Number(one.Python.Seconds), Number(one.TimeRatio),
                Number(one.Ours.CpuSeconds), Number(one.Python.CpuSeconds), Number(one.CpuRatio), Number(one.Ours.PeakMb, "0"), Number(one.Python.PeakMb, "0"),
                Number(one.MemoryRatio), Number(one.Ours.AnonymousMb, "0"), Number(one.Python.AnonymousMb, "0"), Number(one.AnonymousRatio),
                one.Agrees switch { null => "–", true => "yes", false => "NO" });
        }

        return table;
    }

    private static string Number(double value, string format = "0.00") => value.ToString(format, CultureInfo.InvariantCulture);
}
