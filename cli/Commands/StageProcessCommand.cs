using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Pipelines.Activities;
using Pipelines.Engine;
using Pipelines.Engine.Isolation;
using static TorchSharp.torch;

namespace Pipelines.Cli.Commands;

/// <summary>The process of one stage, which a worker starts for a stage with <c>"isolation": "process"</c>.</summary>
internal static class StageProcessCommand
{
    private const string Name = "stage-process";

    public static Command Create()
    {
        var threads = new Option<int>("--threads") { Required = true };
        var command = new Command(Name, "Runs the one stage that a worker gives it on standard input") { threads };
        command.Hidden = true;
        command.SetAction(async (parsed, _) =>
        {
            // A terminal or a service manager signals the worker as well, which stops its stages in order.
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
            try
            {
                set_num_threads(parsed.GetRequiredValue(threads));
                return await StageChild.RunAsync(ActivityCatalog.Create());
            }
            catch (EngineException error)
            {
                Invocation.Say(error.Message);
                return Invocation.NotRun;
            }
        });
        return command;
    }

    /// <summary>With as many threads as a stage has in its worker: then its result has the same bits.</summary>
    public static StageCommand For(int threads) => new(
        Path.Combine(AppContext.BaseDirectory, "pipelines"),
        [Name, "--threads", threads.ToString(CultureInfo.InvariantCulture)]);
}
