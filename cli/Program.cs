using System.CommandLine;
using Pipelines.Cli.Commands;

var root = new RootCommand("Compresses neural networks as durable, repeatable workflows.")
{
    RunCommand.Create(),
    ResumeCommand.Create(),
    CancelCommand.Create(),
    RunsCommand.Create(),
    ShowCommand.Create(),
    LogsCommand.Create(),
    WorkerCommand.Create(),
    ValidateCommand.Create(),
    ActivitiesCommand.Create(),
    DoctorCommand.Create(),
    BenchCommand.Create(),
};

// Signals are ours: the first asks a run to stop and waits for it, the second ends the program.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
