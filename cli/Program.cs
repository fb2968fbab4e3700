using System.CommandLine;
using System.CommandLine.Invocation;
using Pipelines.Cli;
using Pipelines.Cli.Commands;
using Spectre.Console;

AnsiConsole.Console = Invocation.Screen(Console.Out, Console.IsOutputRedirected);

var root = new RootCommand("Compresses neural networks as durable, repeatable workflows.")
{
    RunCommand.Create(),
    ResumeCommand.Create(),
    ResumeCommand.CreateRerun(),
    CancelCommand.Create(),
    RunsCommand.Create(),
    ShowCommand.Create(),
    LogsCommand.Create(),
    WorkerCommand.Create(),
    ServeCommand.Create(),
    WorkersCommand.Create(),
    DrainCommand.Create(),
    GcCommand.Create(),
    ScheduleCommand.Create(),
    DefinitionsCommand.Create(),
    TokenCommand.Create(),
    TokenCommand.CreateAudit(),
    ValidateCommand.Create(),
    ActivitiesCommand.Create(),
    ElsaCommand.Create(),
    DoctorCommand.Create(),
    BenchCommand.Create(),
    StageProcessCommand.Create(),
};

// Signals are ours: the first asks a run to stop and waits for it, the second ends the program.
var parsed = root.Parse(args);
var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
return parsed.Action is ParseErrorAction ? Invocation.NotRun : code;
